import { expectJson, expectProblem, refusals } from "./answer.ts";
import { cookieOf } from "./pair.ts";
import { type Service, signingKey } from "./service.ts";
import { buildToken, signerOf } from "./token.ts";

/** Signs with our own key: what it signs differs from our tokens in nothing but the defect under test. */
export const ours = signerOf(signingKey);

export const header = { alg: "EdDSA", typ: "at+jwt", kid: signingKey.kid };

/** Opens a session and makes tokens that each differ in one thing from its own. */
export async function createForgery({ sandbox, expectRequests, logIn }: Service) {
  const pair = await logIn();
  const { claims, refreshToken } = pair;

  return {
    pair,
    /** The claims are those of the pair. */
    withHeader: (members: object) => buildToken({ ...header, ...members }, claims, ours),
    withClaims: (members: object) => buildToken(header, { ...claims, ...members }, ours),

    /** Asserts that every route refuses a token, from the cookie, as bearer and in a body, and nobody is asked. */
    async expectRefusedEverywhere(token: string, as = sandbox): Promise<void> {
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
