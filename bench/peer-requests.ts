import type { ApiResponse } from "../lib/http/response.ts";
import { type ClientRequest, createEvent } from "../tests/support/event.ts";
import { peerBundleOf } from "./bundle-paths.ts";
import { loadHandler } from "./call.ts";
import { issuerHeaders } from "./peers.ts";
import type { Request } from "./requests.ts";

const credentials = { email: "ada@example.com", password: "a long and private sentence" };

/** A peer at work: the events of its functions, and a whole login. */
export interface Peer {
  protected: Request;
  /** The one request of a login that looks at the password. */
  login: Request;
  refresh: Request;
  /** Everything that a client sends to log in; gives the last answer. */
  logIn: () => Promise<ApiResponse>;
}

const send = (path: string, { headers = {}, ...request }: ClientRequest = {}) =>
  createEvent("movies", { method: request.body ? "POST" : "GET", path, headers, ...request });

/** Sets up express with a user. */
export async function createExpressPeer(): Promise<Peer> {
  const handle = await loadHandler(peerBundleOf("express"));
  await handle(send("/register", { body: credentials }));
  const logIn = async () => assertOk(await handle(send("/login", { body: credentials })), 200);
  const { token, refreshToken } = JSON.parse((await logIn()).body ?? "");
  return {
    logIn,
    protected: () => send("/movies", { headers: { authorization: `Bearer ${token}` } }),
    login: () => send("/login", { body: credentials }),
    refresh(last) {
      const pair = last ? JSON.parse(last.body ?? "") : { refreshToken };
      return send("/refresh", { body: { refreshToken: pair.refreshToken } });
    },
  };
}

/** Sets up OpenAuth with a user, as client of the issuer at `origin`. */
export async function createOpenAuthPeer(origin: string): Promise<Peer> {
  const handle = await loadHandler(peerBundleOf("openauth"));
  const { addUser } = await import(`../${peerBundleOf("openauth")}`);
  await addUser(credentials.email, credentials.password);
  const redirect_uri = "http://127.0.0.1/callback";
  const form = (path: string, fields: Record<string, string>, cookies: string[] = []) =>
    send(path, {
      headers: { ...issuerHeaders(origin), "content-type": "application/x-www-form-urlencoded" },
      cookies,
      body: new URLSearchParams(fields).toString(),
    });

  async function authorize(): Promise<string[]> {
    const query = { client_id: "bench", redirect_uri, response_type: "code", state: "1" };
    const answer = assertOk(await handle(send("/authorize", { query, headers: issuerHeaders(origin) })), 302);
    return (answer.cookies ?? [answer.headers["set-cookie"] ?? ""]).map(
      (line) => line.split(";", 1)[0] ?? "",
    );
  }

  async function logIn(): Promise<ApiResponse> {
    const cookies = await authorize();
    const { headers } = assertOk(await handle(form("/password/authorize", credentials, cookies)), 302);
    const code = new URL(headers.location ?? "").searchParams.get("code") ?? "";
    const grant = { grant_type: "authorization_code", client_id: "bench", redirect_uri, code };
    return assertOk(await handle(form("/token", grant)), 200);
  }

  const { access_token: token, refresh_token } = JSON.parse((await logIn()).body ?? "");
  return {
    logIn,
    protected: () => send("/movies", { headers: { authorization: `Bearer ${token}` } }),
    login: async () => form("/password/authorize", credentials, await authorize()),
    refresh(last) {
      const pair = last ? JSON.parse(last.body ?? "") : { refresh_token };
      return form("/token", { grant_type: "refresh_token", refresh_token: pair.refresh_token });
    },
  };
}

function assertOk(response: ApiResponse, status: number): ApiResponse {
  if (response.statusCode === status) return response;
  throw new Error(`a peer answered ${response.statusCode} ${response.body}`);
}
