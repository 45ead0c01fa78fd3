import { marshall } from "@aws-sdk/util-dynamodb";
import { expect, test } from "@jest/globals";
import type { DynamoDB } from "./dynamodb.ts";
import { AppError } from "./errors.ts";
import { type TransactItem, transact } from "./transaction.ts";

const items: TransactItem[] = [
  { Delete: { TableName: "users", Key: { userId: "ada" } } },
  { Delete: { TableName: "identities", Key: { identity: "email:ada@example.com" } } },
];

const old = { userId: "ada" };
const failure = (name: string, more = {}) => Object.assign(new Error(name), { name, ...more });
const cancellation = (...codes: string[]) =>
  failure("TransactionCanceledException", {
    CancellationReasons: codes.map((Code) => ({
      Code,
      ...(Code === "ConditionalCheckFailed" && { Item: marshall(old) }),
    })),
  });
const unknown = failure("TimeoutError");
const conflict = cancellation("None", "TransactionConflict");
const refused = cancellation("ConditionalCheckFailed", "None");

/** Sends the transaction to a DynamoDB that answers so, one answer after the other; the last is that it is done. */
async function run(answers: Error[], isDone = false) {
  const left = [...answers];
  const tokens: string[] = [];
  const pauses: number[] = [];
  const send = async ({ input }: { input: { ClientRequestToken: string } }) => {
    tokens.push(input.ClientRequestToken);
    const answer = left.shift();
    if (answer) throw answer;
  };
  let looks = 0;
  const result = await transact({ send } as unknown as DynamoDB, items, {
    isDone: async () => ++looks > 0 && isDone,
    pause: async (repeat) => pauses.push(repeat),
  }).catch((error: AppError) => error.code);
  return { result, sent: tokens.length, tokens: new Set(tokens).size, pauses, looks };
}

const written = { written: true };
const verdicts = [{ isRefused: true, item: old }, { isRefused: false }];

test.each<[string, Error[], boolean, object]>([
  ["is done at once", [], false, { result: written, sent: 1, looks: 0 }],
  [
    "is refused by a condition",
    [refused],
    false,
    { result: { written: false, verdicts }, sent: 1, looks: 0 },
  ],
  ["meets another write", [conflict], false, { result: written, sent: 2, tokens: 2, pauses: [1], looks: 0 }],
  [
    "meets others and is then refused",
    [conflict, conflict, conflict, refused],
    false,
    { result: { written: false, verdicts }, sent: 4, tokens: 4, pauses: [1, 2, 3] },
  ],
  ["meets others four times", Array(4).fill(conflict), false, { result: "unavailable", sent: 4 }],
  [
    "is refused beside a conflict, which says nothing",
    [cancellation("ConditionalCheckFailed", "TransactionConflict")],
    false,
    { result: written, sent: 2 },
  ],
  ["is throttled", [cancellation("ThrottlingError", "None")], false, { result: written, sent: 2 }],
  [
    "is over the throughput",
    [cancellation("None", "ProvisionedThroughputExceeded")],
    false,
    { result: written, sent: 2 },
  ],
  [
    "is not valid, whatever its conditions say",
    [cancellation("ConditionalCheckFailed", "ValidationError")],
    true,
    { result: "unavailable", sent: 1, looks: 0 },
  ],
  ["is cancelled without a reason", [cancellation()], true, { result: "unavailable", sent: 1, looks: 0 }],
  ["has no outcome, and is found done", [unknown], true, { result: written, sent: 1, looks: 1 }],
  [
    "has no outcome, and is not found: it may still be committed",
    [unknown],
    false,
    { result: "unavailable", sent: 1, looks: 1 },
  ],
  ["has no outcome after a conflict", [conflict, unknown], true, { result: written, sent: 2, looks: 1 }],
])("a transaction that %s", async (_, answers, isDone, expected) => {
  expect(await run(answers, isDone)).toMatchObject(expected);
});

test("a transaction whose outcome cannot be read either is unavailable", async () => {
  const send = () => Promise.reject(unknown);
  const isDone = () => Promise.reject(new AppError("unavailable"));
  const result = transact({ send } as unknown as DynamoDB, items, { isDone });
  await expect(result).rejects.toMatchObject({ code: "unavailable" });
});
