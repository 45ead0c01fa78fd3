import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createConsumer, createStreamReader, listFeeds } from "../../local/stream-consumer.ts";
import { deliverTo } from "../../local/wire.ts";
import { declared } from "../support/declared.ts";
import { keepSecrets } from "../support/log.ts";
import { startStage, told } from "./stage.ts";

const account = { email: "grace@example.com", password: "a long and private sentence" };
const newPassword = "another long and private sentence";
keepSecrets(account.password, newPassword);

// Stands for SES: keeps the texts of what it is asked to send.
const texts: string[] = [];
const ses = createServer(async (incoming, outgoing) => {
  const { Content } = (await json(incoming)) as { Content: { Simple: { Body: { Text: { Data: string } } } } };
  texts.push(Content.Simple.Body.Text.Data);
  outgoing.end('{"MessageId":"1"}');
});
await once(ses.listen(0, "127.0.0.1"), "listening");

const stage = await startStage(
  {
    MAIL_FROM: "auth@example.com",
    MAIL_LINK: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/",
    EMAIL_LOGIN: "on",
  },
  { AWS_ENDPOINT_URL_SESV2: `http://127.0.0.1:${(ses.address() as AddressInfo).port}` },
);
const { lambdas, call, start, functionNames, database } = stage;
const feeds = listFeeds(declared.functions, declared.resources.Resources).map(
  ({ functionName, ...feed }) => ({
    functionName,
    consume: createConsumer(
      createStreamReader(deliverTo(database.endpoint), {
        ...feed,
        event: { ...feed.event, startingPosition: "TRIM_HORIZON" },
      }),
      feed.event,
    ),
  }),
);

beforeAll(async () => {
  for (const name of functionNames) lambdas[name] = await start(name);
}, 180_000);
afterAll(async () => {
  await stage.stop();
  ses.close();
}, 60_000);

/** Has the packaged functions work on what came into the streams, and gives the code of the last mail. */
async function receiveCode(): Promise<string> {
  for (const { functionName, consume } of feeds)
    await consume(async (event) => lambdas[functionName]?.invoke(event));
  return /^ {4}(\S+)$/m.exec(texts.at(-1) ?? "")?.[1] ?? "";
}

test("the packaged functions of a stage with mail register by code, set a forgotten password, and sign in by code", async () => {
  const { email, password } = account;
  const asked = told(await call("askRegistration", { body: { email } }));
  expect(asked).toEqual([202, expect.objectContaining({ expiresIn: 3_600 })]);
  const registration = { challenge: asked[1].challenge, code: await receiveCode(), password };
  expect(told(await call("confirmRegistration", { body: registration }))).toEqual([
    201,
    expect.objectContaining({ email }),
  ]);

  const [, { challenge }] = told(await call("forgotPassword", { body: { email } }));
  const reset = { challenge, code: await receiveCode(), newPassword };
  expect(told(await call("resetPassword", { body: reset }))).toEqual([200, { msg: "success" }]);
  expect((await call("login", { body: { email, password: newPassword } })).statusCode).toBe(200);

  const [, byCode] = told(await call("askLoginCode", { body: { email } }));
  const login = { challenge: byCode.challenge, code: await receiveCode() };
  expect(told(await call("confirmLoginCode", { body: login }))).toEqual([200, { msg: "success" }]);
  // The stream of users fed the function `events`: the trail has both changes.
  expect((await database.scan("audit")).map(({ event }) => event).sort()).toEqual([
    "authn_password_change",
    "user_created",
  ]);
});
