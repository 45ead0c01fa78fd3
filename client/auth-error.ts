/** One invalid member of a request body: a JSON Pointer (RFC 6901, URI fragment form) and what to do. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/** What the client reads of a problem document (RFC 9457). */
interface Problem {
  code?: string;
  title?: string;
  detail?: string;
  instance?: string;
  errors?: FieldError[];
}

/** A refusal of the API, or no answer at all. */
export class AuthError extends Error {
  override readonly name = "AuthError";
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Stable, as the API's README lists them; `network_error` when no answer came, `http_<status>` when it was no problem. */
  readonly code: string;
  /** What to do, in a sentence. */
  readonly detail: string | undefined;
  /** One for each invalid field. */
  readonly errors: FieldError[] | undefined;
  /** When to try again, at 429 and 503. A page of another origin can read it only if the API exposes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** What to look for in the service's log. */
  readonly requestId: string | undefined;

  constructor(status: number, problem: Problem, retryAfterSeconds?: number, cause?: unknown) {
    const code = problem.code ?? `http_${status}`;
    super(problem.detail ?? problem.title ?? code, { cause });
    this.status = status;
    this.code = code;
    this.detail = problem.detail;
    this.errors = problem.errors;
    this.retryAfterSeconds = retryAfterSeconds;
    this.requestId = problem.instance;
  }
}

/**
 * Reads an answer's JSON; undefined where the API answers none. Throws AuthError: a refusal, or `network_error` if there
 * is no answer, if it breaks off, or if something in between made it.
 */
export async function readAnswer(answer: Promise<Response>): Promise<unknown> {
  try {
    const response = await answer;
    if (response.ok) return response.status === 204 ? undefined : await response.json();
    const problem = await response.json().catch(() => ({}));
    throw new AuthError(response.status, problem, retryAfterOf(response));
  } catch (cause) {
    if (cause instanceof AuthError) throw cause;
    throw new AuthError(0, { code: "network_error", detail: "No answer came." }, undefined, cause);
  }
}

/** The seconds of an answer's Retry-After; undefined if it has none that can be read. */
export function retryAfterOf({ headers }: Response): number | undefined {
  return Number.parseInt(headers.get("retry-after") ?? "", 10) || undefined;
}
