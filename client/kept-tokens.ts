import type { AuthClient } from "./auth-client.ts";
import type { Tokens } from "./store.ts";

/** What a bearer client keeps, renewed: a way into the account needs the whole token pair. A browser's is in its cookie. */
export async function keptTokens({ tokens, refresh }: AuthClient): Promise<Partial<Tokens>> {
  if (!tokens) return {};
  // It is not renewed again for a while.
  await refresh();
  // biome-ignore lint/complexity/useLiteralKeys: the build shortens the name of our own `load` (build/client.ts)
  return (await tokens["load"]()) ?? {};
}

/** What proves the whole pair in the body of a request; nothing where it is in the cookie. */
export async function bearerPair(auth: AuthClient): Promise<{ refreshToken?: string }> {
  const { refreshToken } = await keptTokens(auth);
  return refreshToken === undefined ? {} : { refreshToken };
}
