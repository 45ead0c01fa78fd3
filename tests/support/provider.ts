import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "@jest/globals";
import Provider from "oidc-provider";
import { keepSecrets } from "./log.ts";

/** A user of the provider, by the name that logs in there. */
export interface ProviderUser {
  email?: string;
  email_verified?: unknown;
}

const clientSecret = "a-client-secret-of-the-test-provider";
keepSecrets(clientSecret);

/**
 * Starts a real OpenID provider on loopback (npm's oidc-provider, certified), with one client: it asks for PKCE, takes each code
 * once, and revokes what a code has given that comes twice. It ends with the test file.
 */
export async function startProvider(redirectUri: string, users: Record<string, ProviderUser>) {
  const server: Server = createServer((request, response) => void provider.callback()(request, response));
  server.on("connection", (socket) => socket.unref()).unref();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: "web", client_secret: clientSecret, redirect_uris: [redirectUri] },
        ...{ token_endpoint_auth_method: "client_secret_post", grant_types: ["authorization_code"] },
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    // As Google and Apple do; the default has the address in another answer.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    cookies: { keys: ["a key of the test provider"] },
    jwks: { keys: [await generateJwk()] },
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...users[id] }),
    }),
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  return {
    issuer,
    /** The entry of IDENTITY_PROVIDERS, and its part of PROVIDER_KEYS. */
    entry: {
      ...{ id: "test", name: "Test provider", clientId: "web", redirectUris: [redirectUri], issuer },
      ...{
        authorizationEndpoint: `${issuer}/auth`,
        tokenEndpoint: `${issuer}/token`,
        jwksUri: `${issuer}/jwks`,
      },
      sendsIss: true,
    },
    keys: { test: { clientSecret } },

    /** Signs in as a browser does that the provider does not know, and gives what the page is opened with. */
    async signIn(authorizationUrl: string, login: string): Promise<Record<string, string>> {
      const cookies = new Map<string, string>();
      let [url, body] = [authorizationUrl, undefined as URLSearchParams | undefined];
      for (let step = 0; step < 10; step++) {
        const response: Response = await fetch(url, {
          ...{ method: body ? "POST" : "GET", redirect: "manual", headers: { cookie: toHeader(cookies) } },
          ...(body && { body }),
        });
        keep(cookies, response);
        const location = response.headers.get("location");
        if (location?.startsWith(redirectUri)) return Object.fromEntries(new URL(location).searchParams);
        if (location) [url, body] = [new URL(location, url).href, undefined];
        else {
          const page = await response.text();
          // Asked to return by a form, it answers one that the browser posts.
          if (page.includes(`action="${redirectUri}"`))
            return Object.fromEntries(
              [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
            );
          // Its page asks for a name, then for consent.
          const [, prompt = ""] = /name="prompt" value="(\w+)"/.exec(page) ?? [];
          body = new URLSearchParams({ prompt, ...(prompt === "login" && { login, password: "any" }) });
        }
      }
      throw new Error("the provider never returned");
    },
  };
}

async function generateJwk(): Promise<object> {
  const { exportJWK, generateKeyPair } = await import("jose");
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: "provider-key", use: "sig", alg: "RS256" };
}

const toHeader = (cookies: Map<string, string>) =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");

function keep(cookies: Map<string, string>, { headers }: Response): void {
  for (const line of headers.getSetCookie()) {
    const [pair = ""] = line.split(";");
    const at = pair.indexOf("=");
    if (/expires=thu, 01 jan 1970/i.test(line)) cookies.delete(pair.slice(0, at));
    else cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}
