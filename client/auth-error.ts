/** One invalid member of a request body: a JSON Pointer (RFC 6901, URI fragment form) and what to do. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/** What the client reads of a problem document (RFC 9457). */
export interface Problem {
  code?: string;
  title?: string;
  detail?: string;
  instance?: string;
  errors?: FieldError[];
}

/** An error response of the API, or no response at all. */
export class AuthError extends Error {
  declare readonly name: "AuthError";
  /** The HTTP status; 0 if no response came. */
  declare readonly status: number;
  /**
   * Stable: the API's `/docs` lists them. `network_error` if no response came, `http_<status>` for a response that is no
   * problem document.
   */
  declare readonly code: string;
  /** What to do, in a sentence. */
  declare readonly detail: string | undefined;
  /** One for each invalid field. */
  declare readonly errors: FieldError[] | undefined;
  /** When to try again, at 429 and 503. A page of another origin can read it only if the API exposes `Retry-After`. */
  declare readonly retryAfterSeconds: number | undefined;
  /** What to look for in the service's log. */
  declare readonly requestId: string | undefined;

  constructor(status: number, problem: Problem, retryAfterSeconds?: number, cause?: unknown) {
    const { code = `http_${status}`, title = code, detail, errors, instance: requestId } = problem;
    super(detail ?? title, { cause });
    Object.assign(this, { name: "AuthError", status, code, detail, errors, retryAfterSeconds, requestId });
  }
}

/**
 * Reads a response's JSON; undefined for a 204. Throws AuthError: what the API refused with, or `network_error` if there
 * is no response, if it breaks off, or if something in between made it.
 */
export async function parseResponse(pending: Promise<Response>): Promise<unknown> {
  try {
    const response = await pending;
    if (response.ok) return response.status === 204 ? undefined : await response.json();
    throw new AuthError(response.status, await response.json().catch(() => ({})), retryAfterOf(response));
  } catch (cause) {
    if (cause instanceof AuthError) throw cause;
    throw new AuthError(0, { code: "network_error", detail: "No answer." }, undefined, cause);
  }
}

/** The seconds of a response's Retry-After; undefined if it has none that can be read. */
export function retryAfterOf({ headers }: Response): number | undefined {
  return Number(headers.get("retry-after")) || undefined;
}
