import { type AuthClient, createAuthClient } from "serverless-auth-client";

let client: AuthClient | undefined;

/** The client of this page, made at its first use: Next.js also runs this file on the server, where there is no page. */
export function getClient(): AuthClient {
  client ??= createAuthClient({ onSessionEnd: () => location.assign("/") });
  return client;
}
