import { expect, test } from "@jest/globals";
import * as v from "valibot";
import { createCustomClaims, customClaims } from "./claims.ts";
import type { User } from "./store.ts";

const user: User = {
  ...{ email: "ada@example.com", userId: "user", passwordHash: "hash", createdAt: 1_800_000_000 },
  ...{ sessionEpoch: 0, sweptEpoch: 0 },
};

test("a user's roles become claims; who has none gets no claims", () => {
  expect(createCustomClaims(user)).toEqual({});
  expect(createCustomClaims({ ...user, roles: ["admin", "editor"] })).toEqual({ roles: ["admin", "editor"] });
  expect(createCustomClaims({ ...user, roles: [] })).toEqual({ roles: [] });
});

test("claims that would not fit the cookie are refused: 384 bytes fit", () => {
  // {"roles":[""]} has 14 bytes, and the letter ö two.
  const roles = (bytes: number) => ["ö".repeat(10) + "x".repeat(bytes - 14 - 20)];
  expect(createCustomClaims({ ...user, roles: roles(384) })).toEqual({ roles: roles(384) });
  const call = () => createCustomClaims({ ...user, roles: roles(385) });
  expect(call).toThrow(RangeError);
  expect(call).toThrow("385 bytes, and 384");
});

test("only objects whose known members have their types are claims; others are not looked at", () => {
  const isCustomClaims = (value: unknown) => v.is(v.object(customClaims), value);
  for (const value of [{}, { roles: [] }, { roles: ["a", "b"] }, { other: 1 }])
    expect(isCustomClaims(value)).toBe(true);
  for (const value of [undefined, null, "roles", 1, true]) expect(isCustomClaims(value)).toBe(false);
  for (const roles of [null, "admin", 1, {}, { length: 0 }, [1], ["a", 1], ["a", null]])
    expect(isCustomClaims({ roles })).toBe(false);
});
