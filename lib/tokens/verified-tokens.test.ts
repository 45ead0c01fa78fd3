import { expect, test } from "@jest/globals";
import type { AccessClaims } from "./access-claims.ts";
import { createVerifiedTokens } from "./verified-tokens.ts";

const claimsOf = (sub: string) => ({ sub }) as unknown as AccessClaims;

test("1,000 tokens are remembered, and the oldest makes room", () => {
  const verified = createVerifiedTokens();
  for (let i = 0; i < 1_000; i++) verified.add(`token ${i}`, claimsOf(`user ${i}`));
  expect(verified.find("token 0")).toEqual(claimsOf("user 0"));
  verified.add("token 1000", claimsOf("user 1000"));
  expect(verified.find("token 0")).toBeUndefined();
  for (let i = 1; i <= 1_000; i++) expect(verified.find(`token ${i}`)).toEqual(claimsOf(`user ${i}`));
});

test("what one request does to its claims, no other sees", () => {
  const verified = createVerifiedTokens();
  const claims = { sub: "user", roles: ["reader"] } as unknown as AccessClaims;
  verified.add("token", claims);
  claims.roles?.push("admin");
  verified.find("token")?.roles?.push("admin");
  expect(verified.find("token")).toEqual({ sub: "user", roles: ["reader"] });
});
