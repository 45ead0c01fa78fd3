import { expect, test } from "@jest/globals";
import { keepSecrets, log } from "../tests/support/log.ts";
import { createStreamHandler, type StreamRecord } from "./stream.ts";

// The images of users have hashes, which no failure tells.
const passwordHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA";
keepSecrets(passwordHash);

/** Record number `SequenceNumber` of the item `id`. */
const record = (id: string, SequenceNumber: string): StreamRecord => ({
  eventName: "MODIFY",
  dynamodb: { Keys: { id: { S: id } }, NewImage: { passwordHash: { S: passwordHash } }, SequenceNumber },
});

test("records of one item wait for the one before them; what failed is reported, and only that", async () => {
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const handler = createStreamHandler("a test", async ({ dynamodb: { SequenceNumber = "" } }) => {
    if (SequenceNumber === "1") await gate.promise;
    if (SequenceNumber === "3") throw new Error("away");
    done.push(SequenceNumber);
    // The second item does not wait for the first.
    if (SequenceNumber === "2") gate.resolve();
  });
  const records = [record("a", "1"), record("b", "2"), record("b", "3"), record("a", "4"), record("b", "5")];
  expect(await handler({ Records: records })).toEqual({ batchItemFailures: [{ itemIdentifier: "3" }] });
  expect(done).toEqual(["2", "1", "4"]);
  expect(log.entries()).toMatchObject([{ level: "ERROR", what: "a test", errors: [{ message: "away" }] }]);
});
