import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import { AppError } from "./errors.ts";
import { type LogFields, logFailure, logRequest, note } from "./log.ts";

let lines: string[];

beforeEach(() => {
  lines = [];
  jest.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
});
afterEach(() => void jest.restoreAllMocks());

/** The one line that was written. */
function lastLine() {
  expect(lines).toHaveLength(1);
  const [line = ""] = lines;
  expect(line).toMatch(/^[^\r\n]*\n$/);
  return { line: line.trimEnd(), entry: JSON.parse(line) };
}

/** Logs a failure and gives back the one line that it became. */
function logged(error: unknown, what = "signing keys") {
  lines = [];
  logFailure(what, error);
  return lastLine();
}

/** Logs a request of which these fields are noted, and gives back its one line. */
async function requested(status: number, ...notes: LogFields[]) {
  lines = [];
  const request = { requestId: "request-1", route: "POST /auth/login", stage: "test" };
  await logRequest(request, async () => {
    for (const fields of notes) {
      await Promise.resolve();
      note(fields);
    }
    return { statusCode: status };
  });
  return lastLine();
}

test("a request is one line: time, id, route, stage, status, duration and what was noted", async () => {
  const event = "session_renewed";
  const { entry } = await requested(200, { event, userId: "user-1" }, { sessionHash: "hash" });
  expect(entry).toEqual({
    ...{ level: "INFO", requestId: "request-1", route: "POST /auth/login", stage: "test", status: 200 },
    ...{ event, userId: "user-1", sessionHash: "hash", durationMs: expect.any(Number) },
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
});

test("the first event of a request stays: what a use case saw is closer than what came of it", async () => {
  const later: LogFields = { event: "session_expired", code: "x" };
  const { entry } = await requested(400, { event: "authn_token_reuse" }, later);
  expect(entry.event).toBe("authn_token_reuse");
});

test("what went well is INFO, a refusal WARN, a failure of ours ERROR", async () => {
  const levels: string[] = [];
  for (const status of [200, 399, 400, 499, 500, 503]) levels.push((await requested(status)).entry.level);
  expect(levels).toEqual(["INFO", "INFO", "WARN", "WARN", "ERROR", "ERROR"]);
});

test("requests that are answered at the same time do not mix, and what is noted outside of one is nobody's", async () => {
  const request = (requestId: string) => ({ requestId, route: "", stage: "test" });
  const answer = async (userId: string) => {
    await new Promise((resolve) => setImmediate(resolve));
    note({ userId });
    return { statusCode: 200 };
  };
  note({ userId: "nobody" });
  await Promise.all(["a", "b", "c"].map((userId) => logRequest(request(userId), () => answer(userId))));
  for (const { requestId, userId } of lines.map((line) => JSON.parse(line))) expect(requestId).toBe(userId);
  expect(lines).toHaveLength(3);
});

const metricOf = (Name: string, ...dimensions: string[]) => {
  return { Namespace: "ServerlessAuth", Dimensions: [dimensions], Metrics: [{ Name, Unit: "Count" }] };
};

test.each([
  ["authn_login_success", "Login"],
  ["authn_login_fail", "LoginRefused"],
  ["authn_login_lock", "Throttled"],
  ["excess_rate_limit_exceeded", "Throttled"],
  ["authn_token_reuse", "Replay"],
] as const)("%s counts as the metric %s, in CloudWatch's embedded format", async (event, name) => {
  const { entry } = await requested(200, { event });
  expect(entry[name]).toBe(1);
  expect(entry._aws).toEqual({ Timestamp: expect.any(Number), CloudWatchMetrics: [metricOf(name, "stage")] });
});

test("a refusal is counted by its code, too", async () => {
  const { entry } = await requested(401, { event: "authn_login_fail", code: "invalid_credentials" });
  expect(entry).toMatchObject({ LoginRefused: 1, Refusal: 1, stage: "test", code: "invalid_credentials" });
  expect(entry._aws.CloudWatchMetrics[1]).toEqual(metricOf("Refusal", "stage", "code"));
});

test("G04 a hostile route or id stays inside its line", async () => {
  const { line } = await requested(200, { userId: hostile, emailHash: hostile });
  expect(line).toMatch(/^[\x20-\x7e\xa0-\u2027\u202a-\uffff]*$/);
  expect(JSON.parse(line).userId).toBe(hostile);
});

test("a failure is one line with name, message and stack, within a request or without", async () => {
  const stack = expect.arrayContaining([expect.stringMatching(/^at /)]);
  const errors = [{ name: "TypeError", message: "went wrong", stack }];
  const line = { level: "ERROR", event: "failure", errors };
  const error = new TypeError("went wrong");
  expect(logged(error).entry).toMatchObject({ ...line, what: "signing keys" });
  const { entry } = await requested(503, { event: "failure", code: "unavailable", error });
  expect(entry).toMatchObject({ ...line, requestId: "request-1" });
  expect(entry).not.toHaveProperty("error");
});

test("causes follow the error in their order, and an error that is its own cause is logged all the same", () => {
  const error = new AppError("unavailable", { cause: new RangeError("b", { cause: new Error("c") }) });
  const names = logged(error).entry.errors.map(({ name, message }: Error) => `${name} ${message}`);
  expect(names).toEqual(["AppError unavailable", "RangeError b", "Error c"]);
  const round = new Error("round");
  round.cause = new Error("and round", { cause: round });
  expect(logged(round).entry.errors[0].message).toBe("round");
  // Lines that look like a stack are the message's only.
  const [{ message, stack }] = logged(new Error("first\n    at somewhere (a:1:1)")).entry.errors;
  expect([message, stack.join().includes("somewhere")]).toEqual(["first\n    at somewhere (a:1:1)", false]);
});

const hostile =
  'a\r\nb\u2028c\u2029d\u0085e\u000bf\u001b[31m\u009b2J"}\n{"level":"INFO","event":"authn_login_success"}\u0000\b\ud800';

test("G04 any message and any thrown value become one line, and a hostile message stays in it", () => {
  const { entry, line } = logged(new Error(hostile), hostile);
  expect(line).toMatch(/^[\x20-\x7e\xa0-\u2027\u202a-\uffff]*$/);
  expect([entry.level, entry.errors.length]).toEqual(["ERROR", 1]);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void logged(new Error(text), text)));
  fc.assert(fc.property(fc.anything(), (thrown) => void logged(thrown)));
});

const noJson = ["hunter2", '{"password":\n  at hunter2', "\r\n\tat hunter2\n    at hunter2 (a:1:1)\n"];
test.each(noJson)("nothing of a text that is not JSON is logged: %j", async (text) => {
  const parse = async () => JSON.parse(text);
  const error = await parse().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(SyntaxError);
  for (const thrown of [error, new AppError("unavailable", { cause: error })])
    expect(logged(thrown).line).not.toContain("hunter2");
});

test("G03 what is not an error, and whatever else an error carries, is not logged", () => {
  expect(logged({ password: "hunter2" }).entry.errors).toEqual([]);
  const error = Object.assign(new Error("x", { cause: "hunter2" }), { body: "hunter2" });
  expect(logged(error).line).not.toContain("hunter2");
});
