import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import { AppError } from "./errors.ts";
import { logFailure, logSecurityEvent } from "./log.ts";

let lines: string[];

beforeEach(() => {
  lines = [];
  for (const method of ["log", "error"] as const) {
    jest.spyOn(console, method).mockImplementation((...texts: unknown[]) => {
      lines.push(texts.join(" "));
    });
  }
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** Logs a failure and gives back the one line that it became. */
function logged(error: unknown, requestId = "request-1") {
  lines = [];
  logFailure(requestId, error);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/[\r\n]/);
  return { line: lines[0] as string, entry: JSON.parse(lines[0] as string) };
}

/** What JSON.parse throws for a text. */
function syntaxError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}

test("a security event is one line that names it and the user, and nothing else", () => {
  logSecurityEvent("authn_token_reuse", { userId: "user-1", sessionId: "session-1" } as { userId: string });
  expect(lines).toEqual(['{"level":"WARN","event":"authn_token_reuse","userId":"user-1"}']);
});

test("a failure is one line with its request id, name, message and stack", () => {
  const { entry } = logged(new TypeError("went wrong"));
  expect(entry).toMatchObject({ level: "ERROR", event: "failure", requestId: "request-1" });
  expect(entry.errors).toEqual([
    {
      name: "TypeError",
      message: "went wrong",
      stack: expect.arrayContaining([expect.stringMatching(/^at /)]),
    },
  ]);
});

test("causes follow the error in their order", () => {
  const error = new AppError("unavailable", { cause: new RangeError("b", { cause: new Error("c") }) });
  const { entry } = logged(error);
  expect(entry.errors.map(({ name, message }: Error) => [name, message])).toEqual([
    ["AppError", "unavailable"],
    ["RangeError", "b"],
    ["Error", "c"],
  ]);
});

test.each([
  ["line breaks", "a\r\nb\u2028c\u2029d\u0085e\u000bf"],
  ["ANSI escapes", "\u001b[31mred\u001b[0m\u009b2J"],
  ["a forged entry", '"}\n{"level":"INFO","event":"authn_login_success"}'],
  ["NUL, backspace, lone surrogate", "\u0000\b\ud800"],
])("a hostile message stays one line: %s", (_, message) => {
  const { entry, line } = logged(new Error(message), message);
  expect(line).toMatch(/^[\x20-\x7e\u0080-\uffff]*$/);
  expect(entry.errors).toHaveLength(1);
  expect(entry.level).toBe("ERROR");
});

test("any message and any thrown value become one line", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void logged(new Error(text), text)));
  fc.assert(fc.property(fc.anything(), (thrown) => void logged(thrown)));
});

test.each([
  "hunter2",
  "\n    at hunter2 x",
  '{"password":\n  at hunter2',
  "\r\n\tat hunter2\n    at hunter2 (a:1:1)\n",
])("nothing of a text that is not JSON is logged: %j", (text) => {
  const error = syntaxError(text);
  expect(error).toBeInstanceOf(SyntaxError);
  expect(logged(error).line).not.toContain("hunter2");
  expect(logged(new AppError("unavailable", { cause: error })).line).not.toContain("hunter2");
});

test("a message with lines that look like a stack is logged once, as the message", () => {
  const { entry } = logged(new Error("first\n    at somewhere (a:1:1)"));
  expect(entry.errors[0].message).toBe("first\n    at somewhere (a:1:1)");
  expect(entry.errors[0].stack.join()).not.toContain("somewhere");
});

test("what is not an error, and whatever else an error carries, is not logged", () => {
  expect(logged({ password: "hunter2" }).entry.errors).toEqual([]);
  const error = Object.assign(new Error("x", { cause: "hunter2" }), { body: "hunter2" });
  expect(logged(error).line).not.toContain("hunter2");
});

test("an error that is its own cause is logged all the same", () => {
  const error = new Error("round");
  error.cause = new Error("and round", { cause: error });
  expect(logged(error).entry.errors[0].message).toBe("round");
});
