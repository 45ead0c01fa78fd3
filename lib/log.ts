/** Security events, in the words of the OWASP Logging Vocabulary where it has one. */
export type SecurityEvent =
  /** A spent pair came back: the session was ended. */
  | "authn_token_reuse"
  /** A predecessor came back without a key, inside the window: it may be a lost answer or a thief. */
  | "authn_token_repeat_unproven";

/** Writes one security event as a JSON line. Nothing of the request goes into it. */
export function logSecurityEvent(event: SecurityEvent): void {
  console.log(JSON.stringify({ level: "WARN", event }));
}

/** Writes one failure of ours as a JSON line: name, message and stack of the error and its causes. */
export function logFailure(requestId: string, error: unknown): void {
  console.error(JSON.stringify({ level: "ERROR", event: "failure", requestId, errors: describe(error) }));
}

function describe(error: unknown): { name: string; message: string | undefined; stack: string[] }[] {
  if (!(error instanceof Error)) return [];
  // A SyntaxError of JSON.parse quotes the text it was given.
  const message = error instanceof SyntaxError ? undefined : error.message;
  const stack = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [
    { name: error.name, message, stack: stack.slice(0, 8).map((line) => line.trim()) },
    ...describe(error.cause),
  ];
}
