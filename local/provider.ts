import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair } from "jose";
import Provider, { type GrantContext } from "oidc-provider";

/** What somebody has said at the last sign-in. */
interface Person {
  email: string;
  email_verified: boolean;
}

interface ProviderOptions {
  port: number;
  /** The pages that it may return to. */
  redirectUris: string[];
}

const formPath = /^\/sign-in\/[\w-]+$/;
const scope = "openid email";

/**
 * Starts a real OpenID provider (npm's oidc-provider) at 127.0.0.1: for a browser that is another site than localhost. Whoever comes
 * there types any e-mail address, and says whether it is verified. It gives what the API has to know of it.
 */
export async function startProvider({ port, redirectUris }: ProviderOptions) {
  const people = new Map<string, Person>();
  const clientSecret = randomBytes(32).toString("base64url");
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), use: "sig", alg: "RS256" };
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(port, "127.0.0.1"), "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = quietly(
    () =>
      new Provider(issuer, {
        clients: [
          {
            ...{ client_id: "web", client_secret: clientSecret, redirect_uris: redirectUris },
            ...{ token_endpoint_auth_method: "client_secret_post", grant_types: ["authorization_code"] },
          },
        ],
        claims: { openid: ["sub"], email: ["email", "email_verified"] },
        // As Google and Apple do; the default has the address in another answer.
        conformIdTokenClaims: false,
        pkce: { required: () => true },
        features: { devInteractions: { enabled: false } },
        interactions: { url: (_: unknown, { uid }: { uid: string }) => `/sign-in/${uid}` },
        cookies: { keys: [randomBytes(32).toString("base64url")] },
        jwks: { keys: [jwk] },
        ttl: {
          AccessToken: 60,
          AuthorizationCode: 60,
          IdToken: 300,
          Interaction: 3600,
          Session: 86_400,
          Grant: 300,
        },
        findAccount: (_: unknown, accountId: string) => ({
          accountId,
          claims: () => ({ sub: accountId, ...people.get(accountId) }),
        }),
        loadExistingGrant: grantAll,
        renderError: (context: { type: string; body: string }, out: { error_description?: string }) => {
          context.type = "html";
          context.body = createPage(`<p>${escapeHtml(out.error_description ?? "")}</p>`);
        },
      }),
  );

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!formPath.test(request.url ?? "")) return provider.callback()(request, response);
    try {
      if (request.method === "POST") return await signIn(request, response);
      const { session } = await provider.interactionDetails(request, response);
      sendPage(response, 200, createForm(people.get(session?.accountId ?? "")?.email));
    } catch {
      sendPage(response, 400, "<p>This sign-in is over. Go back to the application, and begin again.</p>");
    }
  }

  /** Nothing is checked: who types an address has it. */
  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request));
    const email = form.get("email")?.trim();
    if (!email) return provider.interactionFinished(request, response, { error: "access_denied" });
    // The same address is the same person, also after the next start.
    const accountId = createHash("sha256").update(email.toLowerCase()).digest("base64url");
    people.set(accountId, { email, email_verified: form.has("verified") });
    return provider.interactionFinished(request, response, { login: { accountId } });
  }

  return {
    issuer,
    /** The entry of IDENTITY_PROVIDERS. The form is shown at each sign-in: there may be another address typed. */
    entry: {
      ...{ id: "test", name: "Test provider", clientId: "web", redirectUris, issuer, prompt: "login" },
      authorizationEndpoint: `${issuer}/auth`,
      tokenEndpoint: `${issuer}/token`,
      jwksUri: `${issuer}/jwks`,
      sendsIss: true,
    },
    /** Its part of PROVIDER_KEYS. */
    keys: { test: { clientSecret } },

    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Nobody is asked what the application may learn. */
async function grantAll({ oidc }: GrantContext): Promise<object> {
  const grant = new oidc.provider.Grant({
    clientId: oidc.client.clientId,
    accountId: oidc.session.accountId,
  });
  grant.addOIDCScope(scope);
  await grant.save();
  return grant;
}

/** It warns that it forgets everything at its end. That is how it should be here. */
function quietly<T>(make: () => T): T {
  const { warn } = console;
  console.warn = () => {};
  try {
    return make();
  } finally {
    console.warn = warn;
  }
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (char) => escapes[char] as string);

const createForm = (email = "") => `
      <p>It asks for no password: you are whoever you say you are.</p>
      <form method="post">
        <label for="email">E-mail address</label>
        <input id="email" name="email" type="email" required autofocus value="${escapeHtml(email)}">
        <p>
          <input id="verified" name="verified" type="checkbox" checked>
          <label for="verified">The address is verified</label>
        </p>
        <button>Sign in</button>
      </form>
      <form method="post"><button>Cancel</button></form>`;

const createPage = (content: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Test provider</title>
    <style>
      :root { color-scheme: light dark; font: 1rem / 1.5 system-ui, sans-serif }
      main { max-width: 22rem; margin: 3rem auto; padding: 0 1rem }
      label[for="email"] { display: block; font-weight: 600 }
      input[type="email"] { box-sizing: border-box; width: 100%; padding: 0.5rem; font: inherit }
      button { width: 100%; min-height: 2.75rem; margin-top: 0.5rem; font: inherit }
    </style>
  </head>
  <body>
    <main>
      <h1>Test provider</h1>${content}
    </main>
  </body>
</html>
`;

function sendPage(response: ServerResponse, status: number, content: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "cache-control": "no-store",
  });
  response.end(createPage(content));
}
