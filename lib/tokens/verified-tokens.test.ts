import { expect, test } from "@jest/globals";
import { createVerifiedTokens } from "./verified-tokens.ts";
import type { AccessClaims } from "./verify-access-token.ts";

test("what one request does to its claims, no other sees", () => {
  const verified = createVerifiedTokens();
  const claims = { sub: "user", roles: ["reader"] } as unknown as AccessClaims;
  verified.add("token", claims);
  claims.roles?.push("admin");
  verified.find("token")?.roles?.push("admin");
  expect(verified.find("token")).toEqual({ sub: "user", roles: ["reader"] });
});
