import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** What a code says of itself: who has signed in, and the nonce of the sign-in. */
export const createCode = (claims: { sub: string; email: string; nonce: string }): string =>
  Buffer.from(JSON.stringify(claims)).toString("base64url");

/** Serves what a provider is asked for while users sign in: a token for each code, and the keys. Gives its entry in IDENTITY_PROVIDERS. */
export async function serveProvider(): Promise<object> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "bench", alg: "RS256" };
  const server = createServer(async (incoming, outgoing) => {
    const form = new URLSearchParams(await text(incoming));
    const code = form.get("code");
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(JSON.stringify(code === null ? { keys: [jwk] } : await createTokens(code)));
  });
  const createTokens = async (code: string) => {
    const claims = JSON.parse(Buffer.from(code, "base64url").toString());
    const token = new SignJWT({ ...claims, email_verified: true, iss: issuer, aud: "web" })
      .setProtectedHeader({ alg: "RS256", kid: "bench" })
      .setIssuedAt()
      .setExpirationTime("5m");
    return { access_token: "bench", token_type: "Bearer", id_token: await token.sign(privateKey) };
  };
  server.unref().listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ id: "bench", clientId: "web", redirectUris: ["https://app.example.com/bench"], issuer },
    authorizationEndpoint: `${issuer}/authorize`,
    tokenEndpoint: `${issuer}/token`,
    jwksUri: `${issuer}/jwks`,
  };
}

/** The entry of one that returns by a form. */
export const postingProvider = {
  ...{ id: "apple", clientId: "bench", page: "https://app.example.com/apple" },
  redirectUris: ["https://auth.example.com/auth/external/apple/form"],
};
