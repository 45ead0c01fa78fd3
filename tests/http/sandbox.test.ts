import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { bodyOf } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { createEvent } from "../support/event.ts";
import { createForgery } from "../support/forgery.ts";
import { pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";
import { startLongLivedProcess } from "./long-lived-process.ts";

const service = await startService();
const { sandbox, wire } = service;
const temporary = mkdtempSync(join(tmpdir(), "sandbox-"));
const snapshots = mkdtempSync(join(tmpdir(), "snapshots-"));
const functions = startLongLivedProcess({
  ...service.environment,
  ...{ AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
  ...{ DYNAMODB_ENDPOINT: wire.endpoint, TMPDIR: temporary },
  ...{ NODE_OPTIONS: "--import ./tests/support/held-clock.mjs", HELD_TIME: String(clock.now) },
});
afterAll(() => {
  functions.stop();
  for (const folder of [temporary, snapshots]) rmSync(folder, { recursive: true });
});

/** One visit of a user to a sandbox that has every function. */
async function visit(body: { email: string; password: string }) {
  const first = pairOf(await functions.invoke("login", createEvent("login", { body })));
  const { cookies } = first;
  const second = pairOf(await functions.invoke("refresh", createEvent("refresh", { cookies })));
  expect((await functions.invoke("me", createEvent("me", { cookies: second.cookies }))).statusCode).toBe(200);
  await functions.invoke("logout", createEvent("logout", { cookies: second.cookies }));
  return [first, second];
}

test("E11 E12 a hundred logins, refreshes and logouts leave heap, handles and the temporary folder as they were", async () => {
  const { email, password } = await service.addAccount();
  for (let i = 0; i < 30; i++) await visit({ email, password });
  const before = await functions.inspect();
  for (let i = 0; i < 100; i++) await visit({ email, password });
  const after = await functions.inspect();
  // 400 calls, and 1.5 MiB of compiled code and of tokens that `me` has verified.
  expect(after.heapMiB - before.heapMiB).toBeLessThan(2.5);
  expect(after.resources).toEqual(before.resources);
  // What login has: how much of it is used at once is the garbage collector's choice, which differs between machines.
  expect(after.maxResidentMiB).toBeLessThan(1_024);
  expect(readdirSync(temporary)).toEqual([]);
}, 120_000);

test("G06 after other people's requests nothing of a request can be reached in the heap", async () => {
  const [one, other] = [await service.addAccount(), await service.addAccount()];
  const pairs = await visit({ email: one.email, password: one.password });
  for (let i = 0; i < 3; i++) await visit({ email: other.email, password: other.password });
  const file = join(snapshots, "after.heapsnapshot");
  await functions.inspect(file);
  const heap = readFileSync(file, "latin1");
  // The search finds what is there: a setting, and a key that is published.
  for (const text of [service.environment.ISSUER ?? "", "EdDSA"]) expect(heap.includes(text)).toBe(true);
  for (const { refreshToken, token } of pairs) {
    expect(heap.includes(refreshToken)).toBe(false);
    expect(heap.includes(token.slice(token.lastIndexOf(".") + 1))).toBe(false);
  }
  expect(heap.includes(one.password)).toBe(false);
});

test("E09 10,000 interleaved requests of many users in one sandbox each get their own identity", async () => {
  const { withClaims } = await createForgery(service);
  const users = Array.from({ length: 40 }, (_, i) => {
    const sub = `5e0a3a0e-6f0a-4f0e-8f5c-${String(i).padStart(12, "0")}`;
    const identity = { sub, sid: `session ${i}`, email: `user.${i}@example.com` };
    const times = { iat: clock.now, exp: clock.now + 900, auth_time: clock.now };
    return { identity, authorization: `Bearer ${withClaims({ ...identity, ...times })}` };
  });
  for (let round = 0; round < 250; round++) {
    const answers = await Promise.all(
      users.map(({ authorization }) => sandbox.me({ headers: { authorization } })),
    );
    expect(answers.map(bodyOf)).toMatchObject(users.map(({ identity }) => identity));
  }
});
