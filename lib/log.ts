/** Security events, in the words of the OWASP Logging Vocabulary where it has one. */
export type SecurityEvent =
  /** A spent pair came back: the session was ended. */
  | "authn_token_reuse"
  /** A predecessor came back without a key, inside the window: it may be a lost answer or a thief. */
  | "authn_token_repeat_unproven";

/** Writes one security event as a JSON line: what happened, and to whom. */
export function logSecurityEvent(event: SecurityEvent, { userId }: { userId: string }): void {
  console.log(JSON.stringify({ level: "WARN", event, userId }));
}

/** Writes one failure of ours as a JSON line: name, message and stack of the error and its causes. */
export function logFailure(requestId: string, error: unknown): void {
  console.error(JSON.stringify({ level: "ERROR", event: "failure", requestId, errors: describe(error) }));
}

/** A chain of causes is cut here; it could lead back to itself. */
const maxErrors = 5;

function describe(
  error: unknown,
  room = maxErrors,
): { name: string; message: string | undefined; stack: string[] }[] {
  if (!(error instanceof Error) || room === 0) return [];
  // A SyntaxError of JSON.parse quotes the text it was given.
  const message = error instanceof SyntaxError ? undefined : error.message;
  return [{ name: error.name, message, stack: framesOf(error) }, ...describe(error.cause, room - 1)];
}

/** The first frames of a stack, without the message before them, whose lines may look like frames. */
function framesOf({ message, stack = "" }: Error): string[] {
  const start = stack.indexOf(message);
  const frames = start < 0 ? stack : stack.slice(start + message.length);
  return frames
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
}
