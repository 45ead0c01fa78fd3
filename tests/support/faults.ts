import type { Answer } from "../../local/wire.ts";
import type { Fault, WireRequest } from "./wire.ts";

export const loseRequest: Fault = async () => undefined;

export const loseAnswer: Fault = async (request) => {
  await request.deliver();
  return undefined;
};

export const hang: Fault = () => new Promise(() => {});

/** The engine gets the request twice; the client sees the first response. */
export const deliverTwice: Fault = async (request) => {
  const answer = await request.deliver();
  await request.deliver();
  return answer;
};

const refuse =
  (status: number, type: string): Fault =>
  async () => {
    const error = { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type };
    return { status, body: JSON.stringify(error) };
  };

export const throttle = refuse(400, "ThrottlingException");
export const exceed = refuse(400, "ProvisionedThroughputExceededException");
export const fail = refuse(500, "InternalServerError");
export const beAway = refuse(503, "ServiceUnavailable");

/** DynamoDB refuses the request for good, by this type of exception. */
export const deny = (type: string): Fault => refuse(400, type);

/** DynamoDB cancels a transaction, for these reasons: one for each of its items. */
export const cancel =
  (...codes: string[]): Fault =>
  async () => {
    const error = {
      __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
      message: "Transaction cancelled, please refer cancellation reasons for specific reasons",
      CancellationReasons: codes.map((Code) => ({ Code })),
    };
    return { status: 400, body: JSON.stringify(error) };
  };

/** Another party acts first, then the request goes on. */
export function precededBy(act: (request: WireRequest) => Promise<unknown>): Fault {
  return async (request) => {
    await act(request);
    return request.deliver();
  };
}

/** Holds requests back until this many have arrived, then lets them go on: a race that nobody wins by being early. */
export function gather(count: number): Fault {
  const all = Promise.withResolvers<void>();
  let arrived = 0;
  return async (request) => {
    if (++arrived === count) all.resolve();
    await all.promise;
    return request.deliver();
  };
}

/** Holds a request back: before it is applied, or with its response. */
export function hold(what: "request" | "answer") {
  const arrival = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const fault: Fault = async (request) => {
    let answer: Answer | undefined;
    if (what === "answer") answer = await request.deliver();
    arrival.resolve();
    await gate.promise;
    answer ??= await request.deliver();
    end.resolve();
    return answer;
  };
  return {
    fault,
    /** Settles when the request is being held. */
    arrived: arrival.promise,
    /** Lets it go on and waits until the engine has applied it. */
    async release(): Promise<void> {
      gate.resolve();
      await end.promise;
    },
  };
}
