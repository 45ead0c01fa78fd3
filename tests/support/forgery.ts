import { createHmac } from "node:crypto";
import { expectJson, expectProblem, refusals } from "./answer.ts";
import { cookieOf } from "./pair.ts";
import type { Sandbox } from "./sandbox.ts";
import { type Service, signingKey } from "./service.ts";
import { buildToken, type Signer, signerOf } from "./token.ts";

/** Signs with our own key: what it signs differs from our tokens in nothing but the defect under test. */
export const ours = signerOf(signingKey);

/** The header of our tokens. */
export const header = { alg: "EdDSA", typ: "at+jwt", kid: signingKey.kid };

/** HS256 with any secret. */
export const hmac =
  (secret: Buffer | string): Signer =>
  (input) =>
    createHmac("sha256", secret).update(input).digest();

/** Opens a session and makes tokens that each differ in one thing from its own. */
export async function createForgery(service: Service) {
  const { sandbox, expectRequests } = service;
  const pair = await service.logIn();
  const { claims, refreshToken } = pair;
  const withText = (text: string | Buffer) => buildToken(header, text, ours);

  return {
    pair,
    /** The claims are those of the pair. */
    withHeader: (members: object) => buildToken({ ...header, ...members }, claims, ours),
    withClaims: (members: object) => buildToken(header, { ...claims, ...members }, ours),
    /** The claims are this text. */
    withText,
    /** One claim is this text, which need not be what JSON.stringify would make. */
    withClaimText: (name: string, text: string) =>
      withText(JSON.stringify({ ...claims, [name]: "?" }).replace(`"${name}":"?"`, `"${name}":${text}`)),

    /** A token of so many bytes, or of one more: base64url has no text of 4n + 1 letters. */
    withLength(length: number, from: object = claims): string {
      const padded = (pad: number) => buildToken(header, { ...from, pad: "x".repeat(pad) }, ours);
      let pad = Math.floor((length - padded(0).length) * 0.75);
      while (padded(pad).length < length) pad++;
      return padded(pad);
    },

    /** Asserts that every route refuses a token, from the cookie, as bearer and in a body, and nobody is asked. */
    async expectRefusedEverywhere(token: string, as: Sandbox = sandbox): Promise<void> {
      const cookies = [cookieOf({ token, refreshToken })];
      const headers = { "auth-mode": "bearer" };
      const authorization = `Bearer ${token}`;
      await expectRequests([], async () => {
        expectProblem(await as.movies({ cookies }), refusals.invalidToken);
        expectProblem(await as.movies({ headers: { authorization } }), refusals.invalidToken);
        expectProblem(await as.refresh({ cookies }), refusals.invalidJwt);
        expectJson(await as.logout({ cookies }), 200, { msg: "success" });
        // Larger bodies are refused before anybody looks for a token.
        if (token.length > 10_000) return;
        expectProblem(await as.refresh({ headers, body: { token, refreshToken } }), refusals.invalidJwt);
        expectJson(await as.logout({ headers: { authorization } }), 200, { msg: "success" });
      });
    },
  };
}

/** The other texts that a lenient decoder reads as the same bytes: those with spare bits in their last letter. */
export function spareBits(text: string, bits: number): string[] {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(text.at(-1) ?? "");
  const variants = Array.from({ length: 2 ** bits - 1 }, (_, i) => alphabet[last + i + 1]);
  return variants.map((letter) => text.slice(0, -1) + letter);
}
