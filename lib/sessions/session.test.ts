import { expect, test } from "@jest/globals";
import { AppError } from "../errors.ts";
import { parseSession } from "./session.ts";

const required = {
  userId: "user",
  sessionId: "session",
  email: "ada@example.com",
  tokenHash: "current",
  createdAt: 1_800_000_000,
  expiresAt: 1_800_086_400,
};
const optional = {
  previousTokenHash: "previous",
  rotationSalt: "salt",
  rotatedAt: 1_800_000_100,
  rotationKeyHash: "key",
  userAgent: "tests",
  ip: "192.0.2.7",
  sessionEpoch: 1,
  claims: { roles: ["admin"] },
};

test("a session is read as it is stored; without the mark it is not keyed", () => {
  expect(parseSession(required)).toEqual({ ...required, keyed: false });
  for (const keyed of [true, false]) {
    expect(parseSession({ ...required, ...optional, keyed })).toEqual({ ...required, ...optional, keyed });
  }
});

test("an attribute of tomorrow stays", () => {
  expect(parseSession({ ...required, device: "phone" })).toMatchObject({ device: "phone" });
});

/** A value that an attribute with this one cannot have. */
const otherType = (value: unknown) => (typeof value === "string" ? 1 : "x");

const damages: [name: string, value: unknown][] = [
  ...Object.keys(required).map((name): [string, unknown] => [name, undefined]),
  ...Object.entries({ ...required, ...optional, keyed: true }).flatMap(
    ([name, value]): [string, unknown][] => [
      [name, otherType(value)],
      [name, null],
    ],
  ),
  ["claims", { roles: [1] }],
];

test.each(damages)("an item whose %s is %j is our trouble: unavailable", (name, value) => {
  const parse = () => parseSession({ ...required, ...optional, keyed: true, [name]: value });
  expect(parse).toThrow(AppError);
  expect(parse).toThrow("unavailable");
});
