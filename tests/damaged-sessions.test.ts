import { expect, test } from "@jest/globals";
import { expectCookie, expectProblem, refusals } from "./support/answer.ts";
import { startService } from "./support/service.ts";

const service = await startService();
const { database } = service;

test.each([
  ["no e-mail", { email: undefined }],
  ["an e-mail that is a number", { email: 1 }],
  ["no hash", { tokenHash: undefined }],
  ["a hash that is a number", { tokenHash: 1 }],
  ["no creation time", { createdAt: undefined }],
  ["a creation time in text", { createdAt: "1800000000" }],
  ["an end in text", { expiresAt: "9999999999" }],
  ["no end", { expiresAt: undefined }],
  ["a previous hash that is null", { previousTokenHash: null }],
  ["a salt that is a list", { rotationSalt: ["x"] }],
  ["a time of rotation in text", { rotatedAt: "1800000000" }],
  ["a key's hash that is a map", { rotationKeyHash: { S: "x" } }],
  ["a mark that is no boolean", { keyed: "false" }],
])("S16 a stored session with %s is our trouble, not the client's: 503", async (_, damage) => {
  const pair = await service.logIn();
  const second = await service.rotate(pair);
  const repaired = await service.findSession(pair);
  await database.change("sessions", pair.key, damage);
  for (const presented of [pair, second]) {
    expectProblem(await service.refresh(presented), refusals.unavailable);
  }
  expect(await service.findSession(pair)).toBeDefined();
  await database.put("sessions", repaired ?? {});
  expectCookie(await service.refresh(second));
});

test("S16 a stored session with attributes of tomorrow is used as it is", async () => {
  const pair = await service.logIn();
  await database.change("sessions", pair.key, { device: "phone", flags: ["x"] });
  await service.rotate(pair);
  expect(await service.findSession(pair)).toMatchObject({ device: "phone", flags: ["x"] });
});
