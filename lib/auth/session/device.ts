import { toSeconds } from "../../clock.ts";
import { challengeHeader, type DeviceChallenges, type DeviceKey } from "../../device-binding/challenge.ts";
import { findChallenge, isSignedBy, parseNewKeyProof } from "../../device-binding/proof.ts";
import { deviceProofRequired, invalidDeviceProof } from "../../device-binding/refusals.ts";
import { AppError } from "../../errors.ts";
import type { SessionStore } from "../../sessions/store.ts";
import type { AccessClaims } from "../../tokens/access-claims.ts";
import type { TokenPair } from "../../tokens/issue-pair.ts";
import { createTokenId, hashToken } from "../../tokens/refresh-token.ts";
import { createRotate, type RefreshRequest, type RotateOptions } from "./refresh.ts";
import { createVerifyPair, type PresentedPair, type VerifyPairOptions } from "./verify-pair.ts";

interface ProveDeviceOptions extends RotateOptions, Omit<VerifyPairOptions, "pairs"> {
  sessions: RotateOptions["sessions"] & Pick<SessionStore, "bind" | "find">;
  challenges: DeviceChallenges;
}

/** How long the pair of a bound session is good for from its issue on, and the header for what its browser signs next. */
interface Bound {
  expiresInSeconds: number;
  headers: Record<string, string>;
}

/** Makes the two use cases of a browser that proves its key (W3C Device Bound Session Credentials). */
export function createProveDevice(options: ProveDeviceOptions) {
  const { sessions, challenges, clockMs } = options;
  const rotate = createRotate(options);
  const verifyPair = createVerifyPair(options);

  const nextHeader = async (jti: string, key: DeviceKey) =>
    challengeHeader(await challenges.toRenew(jti, key));

  /** The key of this pair's browser, if this is its proof. */
  async function findProvenKey(proof: string | undefined, jti: string): Promise<DeviceKey | undefined> {
    const challenge = proof === undefined ? undefined : findChallenge(proof);
    const key = challenge === undefined ? undefined : await challenges.keyOf(challenge, jti);
    return key !== undefined && proof !== undefined && (await isSignedBy(key, proof)) ? key : undefined;
  }

  /** Refuses, and tells the browser what to sign: after a restart it knows its key, but no challenge. */
  async function ask({ sub, sid, jti }: AccessClaims): Promise<never> {
    const session = await sessions.find({ userId: sub, sessionId: sid });
    if (!session || session.expiresAt * 1000 <= clockMs()) throw new AppError("token_expired");
    // What the browser would prove is of a session before this one: that ends with this answer.
    if (session.deviceKey === undefined) throw invalidDeviceProof();
    throw deviceProofRequired(await nextHeader(jti, session.deviceKey));
  }

  return {
    /**
     * Binds the session to the key of the browser that has just logged in. Throws AppError `invalid_device_proof`, those of `verifyPair`, `unavailable`.
     */
    async bind(request: PresentedPair, proof: string | undefined): Promise<Bound> {
      const { sub: userId, sid: sessionId, jti, iat, exp } = await verifyPair(request);
      const proven = proof === undefined ? undefined : await parseNewKeyProof(proof);
      if (!proven || !(await challenges.letsBind(proven.challenge, jti))) throw invalidDeviceProof();
      const presentedHash = hashToken(request.refreshToken);
      const binding = { presentedHash, deviceKey: proven.key, now: toSeconds(clockMs()) };
      if (!(await sessions.bind({ userId, sessionId }, binding))) throw invalidDeviceProof();
      return { expiresInSeconds: exp - iat, headers: await nextHeader(jti, proven.key) };
    },

    /**
     * Replaces the pair of a bound session. A proof that does not count costs one read. Throws AppError
     * `device_proof_required` with what to sign, `invalid_device_proof` for a session that is not bound, those of
     * `verifyPair`, `token_expired`, `unavailable`.
     */
    async renew(
      request: RefreshRequest,
      proof: string | undefined,
    ): Promise<{ pair: TokenPair; headers: Record<string, string> }> {
      const claims = await verifyPair(request);
      const key = await findProvenKey(proof, claims.jti);
      if (key === undefined) return ask(claims);
      const pair = await rotate(claims, request, key).catch((error: unknown) => {
        if (error instanceof AppError && error.code === "device_proof_required") return ask(claims);
        throw error;
      });
      return { pair, headers: await nextHeader(createTokenId(pair.refreshToken), key) };
    },
  };
}
