import { randomUUID } from "node:crypto";
import type { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { TransactWriteCommand, type TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { maxRepeats, type Pause, pauseWithJitter } from "./conflict-pause.ts";
import { type DynamoDB, findRefusingItem, type Item, unavailable } from "./dynamodb.ts";

/** One write of a transaction, or a check of an item that is not written. */
export type TransactItem = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];

/** What one condition did: the item that failed it, where it was asked for (`ALL_OLD`) and there is one. */
export type Verdict = { isRefused: false } | { isRefused: true; item: Item | undefined };

/** What a transaction did: everything, or nothing, with a verdict for each of its items. */
export type TransactionResult = { written: true } | { written: false; verdicts: Verdict[] };

interface TransactOptions {
  /**
   * Answers whether what is stored is what this very transaction writes. Asked where its outcome is not known: it may
   * still be committed seconds later. Its conditions must fail once it is.
   */
  isDone: () => Promise<boolean>;
  pause?: Pause;
}

/**
 * Writes several items, or none. What met another write, or was throttled, is tried again three times. Throws AppError
 * `unavailable`, also where nobody can say whether it was written.
 */
export async function transact(
  client: DynamoDB,
  items: TransactItem[],
  { isDone, pause = pauseWithJitter }: TransactOptions,
): Promise<TransactionResult> {
  for (let repeat = 1; ; repeat++) {
    // Another token only after a cancellation: until then the SDK's attempts are one and the same transaction.
    const command = new TransactWriteCommand({ TransactItems: items, ClientRequestToken: randomUUID() });
    try {
      await client.send(command);
      return { written: true };
    } catch (error) {
      if (!isCancellation(error)) return (await isDone()) ? { written: true } : unavailable(error);
      const reasons = error.CancellationReasons ?? [];
      if (reasons.length > 0 && reasons.every(isOfCondition))
        return { written: false, verdicts: reasons.map(toVerdict) };
      if (!reasons.some(isOfTrouble) || repeat > maxRepeats) return unavailable(error);
      await pause(repeat);
    }
  }
}

type Reason = NonNullable<TransactionCanceledException["CancellationReasons"]>[number];

const isOfCondition = ({ Code = "None" }: Reason) => ["None", "ConditionalCheckFailed"].includes(Code);

/** Nothing was written, and it may be next time. */
const isOfTrouble = ({ Code = "" }: Reason) =>
  ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"].includes(Code);

function isCancellation(error: unknown): error is TransactionCanceledException {
  return error instanceof Error && error.name === "TransactionCanceledException";
}

function toVerdict(reason: Reason): Verdict {
  if (reason.Code !== "ConditionalCheckFailed") return { isRefused: false };
  return { isRefused: true, item: findRefusingItem(reason) };
}
