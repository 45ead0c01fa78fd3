import { randomUUID } from "node:crypto";
import * as v from "valibot";
import { type DynamoDB, type UpdateExpression, updateItem } from "../dynamodb.ts";
import { parseItem } from "../parse-item.ts";
import { type Flow, flowIdOf } from "./flow.ts";

/** What is noted of a flow: that is how its code is redeemed once. It stands in the table of attempts. Times are epoch seconds. */
const rowType = {
  name: "flow",
  keyNames: ["id"],
  schema: v.object({
    /** The request that works on it, and since when. */
    lease: v.exactOptional(v.string()),
    begunAt: v.number(),
    /** Whose sign-in it is, by which identity, once the provider has said so. */
    userId: v.exactOptional(v.string()),
    provenBy: v.exactOptional(v.string()),
    /** Which of the flow's sessions was opened; 0: none was needed. */
    done: v.exactOptional(v.number()),
    /** The problem code of what ended it. */
    refused: v.exactOptional(v.string()),
  }),
};

/** Who has been proven by a flow. */
export interface ProvenUser {
  userId: string;
  identity: string;
}

/**
 * What a request finds of its flow. `begun`: it works on it now, alone, from where an earlier one came to. `busy`: another one
 * does. `done`: the session that was opened. `refused`: what ended it.
 */
export type Begun =
  | { is: "begun"; lease: Lease; proven: ProvenUser | undefined }
  | { is: "busy" }
  | { is: "done"; proven: ProvenUser; done: number }
  | { is: "refused"; code: string };

/** The right to work on a flow. */
export interface Lease {
  flow: Flow;
  id: string;
}

/** A function that took longer was cut off. */
const leaseSeconds = 12;

/** What is noted of flows. Every function throws AppError `unavailable` when DynamoDB is. */
export type FlowStore = ReturnType<typeof createFlowStore>;

/** Makes the store of flows, in the table of attempts (partition key: id; TTL on expiresAt). */
export function createFlowStore(client: DynamoDB, attemptsTable: string) {
  const update = (flow: Flow, expression: UpdateExpression) =>
    updateItem(client, { TableName: attemptsTable, Key: { id: flowIdOf(flow) } }, expression);

  /** Whoever lost the lease changes nothing. */
  async function end({ flow, id }: Lease, change: string, values: object): Promise<void> {
    await update(flow, {
      UpdateExpression: change,
      ConditionExpression: "lease = :lease",
      ExpressionAttributeValues: { ":lease": id, ...values },
    });
  }

  return {
    /** Begins to work on a flow, in one conditional write: of all that come at once one redeems the code. */
    async begin(flow: Flow, now: number): Promise<Begun> {
      const id = randomUUID();
      const { written, item } = await update(flow, {
        UpdateExpression: "SET lease = :lease, begunAt = :now, expiresAt = :until",
        ConditionExpression:
          "(attribute_not_exists(done) AND attribute_not_exists(refused) AND begunAt <= :brokeOff) OR attribute_not_exists(id)",
        ExpressionAttributeValues: {
          ...{ ":lease": id, ":now": now, ":brokeOff": now - leaseSeconds, ":until": flow.until },
        },
      });
      if (!item) return { is: "busy" };
      const { userId, provenBy: identity, done, refused, lease } = parseItem(rowType, item);
      const proven = userId !== undefined && identity !== undefined ? { userId, identity } : undefined;
      if (proven && done !== undefined) return { is: "done", proven, done };
      if (refused !== undefined) return { is: "refused", code: refused };
      // The SDK's retry of our own write is known by the lease.
      return written || lease === id ? { is: "begun", lease: { flow, id }, proven } : { is: "busy" };
    },

    /** Nothing was asked of the provider, or it may be asked again: a repeat may begin at once. */
    release: (lease: Lease): Promise<void> => end(lease, "SET begunAt = :never", { ":never": 0 }),

    /** The provider has said who it is, and something is missing yet: a repeat goes on from here. */
    suspend: (lease: Lease, { userId, identity }: ProvenUser): Promise<void> =>
      end(lease, "SET begunAt = :never, userId = :userId, provenBy = :identity REMOVE done", {
        ...{ ":never": 0, ":userId": userId, ":identity": identity },
      }),

    /** It is done: a repeat gets the same. */
    finish: (lease: Lease, { userId, identity }: ProvenUser, done: number): Promise<void> =>
      end(lease, "SET userId = :userId, provenBy = :identity, done = :done", {
        ...{ ":userId": userId, ":identity": identity, ":done": done },
      }),

    /** It is over, for this reason: the code is never sent again. */
    refuse: (lease: Lease, code: string): Promise<void> =>
      end(lease, "SET refused = :code", { ":code": code }),
  };
}
