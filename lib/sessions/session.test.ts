import { expect, test } from "@jest/globals";
import type { Item } from "../dynamodb.ts";
import { parseItem } from "../parse-item.ts";
import { sessionType } from "./session.ts";

const parseSession = (item: Item) => parseItem(sessionType, item);

const required = {
  ...{ userId: "user", sessionId: "session", email: "ada@example.com", tokenHash: "current" },
  ...{ createdAt: 1_800_000_000, expiresAt: 1_800_086_400 },
};
const optional = {
  ...{
    previousTokenHash: "previous",
    rotationSalt: "salt",
    rotatedAt: 1_800_000_100,
    rotationKeyHash: "key",
  },
  ...{ userAgent: "tests", ip: "192.0.2.7", sessionEpoch: 1, claims: { roles: ["admin"] } },
};

test("a session is read as it is stored; without the mark it is not keyed, without an epoch it is of the first", () => {
  expect(parseSession(required)).toEqual({ ...required, keyed: false, sessionEpoch: 0 });
  for (const keyed of [true, false]) {
    expect(parseSession({ ...required, ...optional, keyed })).toEqual({ ...required, ...optional, keyed });
  }
});

test("S16 an attribute of tomorrow is left out; an epoch that cannot be read is the oldest", () => {
  expect(parseSession({ ...required, device: "phone" })).not.toHaveProperty("device");
  for (const sessionEpoch of ["1", null])
    expect(parseSession({ ...required, sessionEpoch }).sessionEpoch).toBe(0);
});

/** A value that an attribute with this one cannot have. */
const otherType = (value: unknown) => (typeof value === "string" ? 1 : "x");

const { sessionEpoch: _, ...others } = optional;
const damages: [name: string, value: unknown][] = [
  ...Object.keys(required).map((name): [string, unknown] => [name, undefined]),
  ...Object.entries({ ...required, ...others, keyed: true }).flatMap(([name, value]): [string, unknown][] => [
    [name, otherType(value)],
    [name, null],
  ]),
  ["claims", { roles: [1] }],
  ["userId", { toString: "a map that cannot be made a text" }],
];

test.each(damages)("an item whose %s is %j is a defect that names both", (name, value) => {
  const parse = () => parseSession({ ...required, ...optional, keyed: true, [name]: value });
  const [userId, sessionId] = (["userId", "sessionId"] as const).map((key) => {
    const found = key === name ? value : required[key];
    return typeof found === "string" ? JSON.stringify(found) : typeof found;
  });
  const message = `the session with userId ${userId}, sessionId ${sessionId} is damaged: ${name}`;
  const cause = expect.objectContaining({ message: expect.stringContaining(message) });
  expect(parse).toThrow(expect.objectContaining({ code: "internal_error", cause }));
});
