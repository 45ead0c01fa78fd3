import { expect, test } from "@jest/globals";
import { keepSecrets, log } from "../../tests/support/log.ts";
import { logRequest } from "../log.ts";
import { createSessionNote } from "./note.ts";

const session = { userId: "user", sessionId: "a-session-id-of-ours" };
keepSecrets(session.sessionId);

/** The line of a request in whose course whose session it is was noted. */
async function lineAfter(hash: (text: string) => Promise<string>) {
  const note = createSessionNote({ hash });
  const request = { requestId: "request", route: "POST /auth/refresh", stage: "test" };
  log.clear();
  await logRequest(request, async () => {
    await note(session);
    return { statusCode: 200 };
  });
  const [line] = log.entries();
  return line;
}

test("a line names the user, and the session by its keyed hash", async () => {
  const line = await lineAfter(async (text) => `hash of ${text.length} letters of ${text.split(":")[0]}`);
  expect(line).toMatchObject({ userId: "user", sessionHash: "hash of 32 letters of log session" });
});

test("without keys a line names the user only, and the request goes on", async () => {
  const line = await lineAfter(() => Promise.reject(new Error("no keys")));
  expect(line).toMatchObject({ userId: "user", status: 200 });
  expect(line).not.toHaveProperty("sessionHash");
});
