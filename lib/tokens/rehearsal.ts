import { systemClock } from "../clock.ts";
import type { PairIssuer } from "./issue-pair.ts";
import type { VerificationKey } from "./keys.ts";

// What lib/dynamodb-rehearsal.ts says holds here, too: what runs for the first time runs before the first event. Whatever fails
// here fails again at the first request, which says so.

const ignore = () => undefined;
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");

/** Verifies a token that nobody has signed: it is refused for its signature. */
export async function rehearseVerification(
  verify: (token: string) => Promise<unknown>,
  keys: ReadonlyMap<string, VerificationKey>,
): Promise<void> {
  const [[kid, { alg }] = ["", { alg: "" }]] = keys;
  await verify(`${encode({ alg, kid, typ: "at+jwt" })}.${encode({})}.${"A".repeat(86)}`).catch(ignore);
}

/** Signs a pair of nobody's, as soon as there is a key, and gives it to nobody; gives it to `verify`, if there is one. */
export async function rehearsePair(
  pairs: PairIssuer,
  verify: (token: string) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const now = systemClock();
  const nobody = { userId: "nobody", sessionId: "none", email: "nobody@example.com", tokenHash: "" };
  const session = { ...nobody, createdAt: now, expiresAt: now + 60, keyed: false, sessionEpoch: 0 };
  await pairs
    .ready()
    .then(() => pairs.issue(session, "rehearsal"))
    .then(({ token }) => verify(token))
    .catch(ignore);
}
