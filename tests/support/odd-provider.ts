import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeEach } from "@jest/globals";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { clock } from "./clock.ts";

/** What a provider says of a user. */
export type Claims = Record<string, unknown>;

interface Sent {
  status?: number;
  body: unknown;
  type?: string;
  headers?: Record<string, string>;
}

/** How a request is answered: a body, with a status; or past all that. */
export type Answer = Sent | ((request: IncomingMessage, response: ServerResponse) => void);

const send = (response: ServerResponse, answer: Sent) => {
  const { status = 200, body, type = "application/json", headers } = answer;
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
};

/**
 * Starts a provider on loopback that answers its token endpoint as a test says, well or badly; whoever comes with a code is the
 * user with that name. It asks nobody: for what browsers meet there is the real one (provider.ts). It ends with the test file.
 */
export async function startOddProvider() {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "key-1", alg: "RS256", use: "sig" };
  let answers: Record<string, Answer | undefined> = {};
  let requests: { path: string; form: URLSearchParams }[] = [];
  const known = new Map<string, Claims>();

  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const form = new URLSearchParams(await text(request));
    requests.push({ path, form });
    const given = answers[path];
    if (typeof given === "function") return given(request, response);
    if (given) return send(response, given);
    if (path === "/jwks") return send(response, { body: { keys: [jwk] } });
    if (path !== "/token") return send(response, { status: 404, body: {} });
    const claims = known.get(form.get("code") ?? "");
    if (!claims) return send(response, { status: 400, body: { error: "invalid_grant" } });
    send(response, { body: await odd.tokens(claims) });
  });
  server.on("connection", (socket) => socket.unref()).unref();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  beforeEach(() => {
    answers = {};
    requests = [];
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const odd = {
    issuer,
    jwk,
    /** What was asked, by path. */
    get paths(): string[] {
      return requests.map(({ path }) => path);
    },
    get forms(): URLSearchParams[] {
      return requests.map(({ form }) => form);
    },
    /** The endpoints, as a setting has them. */
    endpoints: {
      issuer,
      authorizationEndpoint: `${issuer}/authorize`,
      tokenEndpoint: `${issuer}/token`,
      jwksUri: `${issuer}/jwks`,
    },
    /** Answers the next requests of a path so; undefined: as it does by itself. */
    answer(path: string, answer: Answer | undefined): void {
      answers[path] = answer;
    },
    /** Makes a code for a user. */
    createCode(claims: Claims): string {
      const code = `code-${known.size + 1}`;
      known.set(code, claims);
      return code;
    },
    /** Claims as an honest provider has them. */
    claims: (nonce: string, more: Claims = {}): Claims => ({
      ...{ iss: issuer, aud: "web", iat: clock.now, exp: clock.now + 300, nonce },
      ...more,
    }),
    sign: (claims: Claims, header: object = {}, key: Parameters<SignJWT["sign"]>[0] = privateKey) =>
      new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "key-1", ...header }).sign(key),
    /** What the token endpoint answers. */
    tokens: async (claims: Claims) => ({
      ...{ access_token: "an-access-token", token_type: "Bearer", expires_in: 60 },
      id_token: await odd.sign(claims),
    }),
  };
  return odd;
}
