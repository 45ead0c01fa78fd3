import { generateKeyPairSync, sign } from "node:crypto";
import type { ApiResponse } from "../../lib/http/response.ts";

const toText = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A key as a browser binds it to a session, and its proofs; with a `header` or `payload` of the test's own it lies. */
export function createDeviceKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = publicKey.export({ format: "jwk" });

  function prove(
    challenge: string,
    { header = {}, payload = {} }: { header?: object; payload?: object } = {},
  ) {
    const signed = `${toText({ alg: "ES256", typ: "dbsc+jwt", ...header })}.${toText({ jti: challenge, ...payload })}`;
    const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
    return { "secure-session-response": `${signed}.${signature.toString("base64url")}` };
  }

  return {
    jwk,
    privateJwk: privateKey.export({ format: "jwk" }),
    /** As the session has it. */
    stored: Buffer.concat([jwk.x ?? "", jwk.y ?? ""].map((text) => Buffer.from(text, "base64url"))).toString(
      "base64url",
    ),
    /** The headers of the first proof, with the key in it. */
    bind: (challenge: string, header: object = {}) => prove(challenge, { header: { jwk, ...header } }),
    /** The headers of each that follows. */
    renew: (challenge: string, lie?: Parameters<typeof prove>[1]) => ({
      "sec-secure-session-id": "auth",
      ...prove(challenge, lie),
    }),
  };
}

/** What a response tells the browser to sign; undefined where it tells it nothing. */
export const challengeOf = ({ headers }: ApiResponse): string | undefined =>
  /"([\w-]+)"(?:;id="auth")?$/.exec(
    headers["secure-session-registration"] ?? headers["secure-session-challenge"] ?? "",
  )?.[1];
