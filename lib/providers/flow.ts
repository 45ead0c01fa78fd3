import { createHash, createHmac, randomBytes } from "node:crypto";
import { parseBase64url } from "../base64url.ts";
import { isSameHash } from "../tokens/refresh-token.ts";

/** A sign-in at a provider takes at most so long. */
export const flowSeconds = 600;

/**
 * A sign-in that was begun: all that is to be known of it stands in a text that its browser keeps, with 32 random bytes. It is
 * neither signed nor stored: whoever could plant one could plant a signed one.
 */
export interface Flow {
  text: string;
  providerId: string;
  /** When it is over, epoch seconds. */
  until: number;
  /** The session that an identity is to be linked to; undefined for a sign-in. */
  sessionId: string | undefined;
  /** Which of the provider's redirect URIs. */
  index: number;
}

const shape = /^([a-z0-9-]{1,32})~(\d{10,11})~([\w-]{0,64})~(\d{1,2})~([\w-]{43})$/;

/** Begins a flow; `now` is in epoch seconds. */
export function createFlow(begun: Omit<Flow, "text" | "until">, now: number): Flow {
  const { providerId, sessionId = "", index } = begun;
  const until = now + flowSeconds;
  const secret = randomBytes(32).toString("base64url");
  return { ...begun, until, text: [providerId, until, sessionId, index, secret].join("~") };
}

/** Reads the text of a flow; undefined for one that is not like ours. */
function parseFlow(text: string): Flow | undefined {
  const [, providerId, until, sessionId, index, secret] = shape.exec(text) ?? [];
  if (providerId === undefined || parseBase64url(secret) === undefined) return undefined;
  return {
    ...{ text, providerId, until: Number(until) },
    ...{ sessionId: sessionId || undefined, index: Number(index) },
  };
}

/** What the provider is given, and gives back: the hash of the whole text. */
export const stateOf = ({ text }: Pick<Flow, "text">): string =>
  createHash("sha256").update(`state ${text}`).digest("base64url");

/** What the provider puts into the ID token. */
export const nonceOf = (flow: Flow): string => derive(flow, "nonce");

/** The secret whose hash the provider is given at the start (RFC 7636). */
export const codeVerifierOf = (flow: Flow): string => derive(flow, "code verifier");

/** The challenge of that secret (RFC 7636, 4.2). */
export const codeChallengeOf = (flow: Flow): string =>
  createHash("sha256").update(codeVerifierOf(flow)).digest("base64url");

/** The session that the flow opens at its attempt `n`, and its refresh token: a repeat of the same request finds the same. */
export const deriveSession = (flow: Flow, n: number): { sessionId: string; refreshToken: string } => ({
  sessionId: derive(flow, `session ${n}`).slice(0, 22),
  refreshToken: derive(flow, `refresh token ${n}`),
});

/** What names the flow in the table: nothing of it can be learnt from that. */
export const flowIdOf = ({ text }: Flow): string =>
  createHash("sha256").update(`flow ${text}`).digest("base64url");

/** How long the part of the state is that names the flow's cookie. */
const nameLength = 8;

/** The part of the state that names the flow's cookie: tabs do not collide. */
export const flowNameOf = (state: string): string => state.slice(0, nameLength);

/** Answers whether a text can be that part of a state. */
export const isFlowName = (text: string): boolean => text.length === nameLength && /^[\w-]+$/.test(text);

interface Expected {
  state: string;
  providerId: string;
  now: number;
}

/** Finds the flow of a return; undefined where it is not of this browser, of another provider, or over. */
export function findFlow(text: string | undefined, { state, providerId, now }: Expected): Flow | undefined {
  const flow = text === undefined ? undefined : parseFlow(text);
  if (!flow || !isSameHash(stateOf(flow), state) || flow.providerId !== providerId) return undefined;
  return now < flow.until && flow.until <= now + flowSeconds ? flow : undefined;
}

function derive({ text }: Flow, what: string): string {
  return createHmac("sha256", text).update(what).digest("base64url");
}
