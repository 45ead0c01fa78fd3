import { isDisabled } from "../../accounts/is-disabled.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { AttemptLimit } from "../../attempts/account-limit.ts";
import type { Devices } from "../../attempts/known-devices.ts";
import type { SourceLimit } from "../../attempts/source-limit.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Otp } from "../../factors/otp.ts";
import { deriveSession, type Flow } from "../../providers/flow.ts";
import type { FlowStore, Lease, ProvenUser } from "../../providers/flow-store.ts";
import type { Provider } from "../../providers/provider.ts";
import type { ProviderReturn, Redeem } from "../../providers/redeem.ts";
import { providerRefusal, refuseProvider, repeatRefusal } from "../../providers/refusals.ts";
import { amrOf } from "../../sessions/amr.ts";
import { hashClientKeys, isKeyPresented } from "../../sessions/presented-keys.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { settleAll } from "../../settle-all.ts";
import type { PairIssuer } from "../../tokens/issue-pair.ts";
import { hashToken, isSameHash } from "../../tokens/refresh-token.ts";
import type { EndEarlierSessions } from "../end-earlier-sessions.ts";
import type { ExternalCaller, FindAccount } from "../find-account.ts";
import type { PresentedToken } from "../genuine-sessions.ts";
import { createLookAtFactor } from "../look-at-factor.ts";
import type { OpenedSession, OpenSession, SessionRequest } from "../open-session.ts";
import type { SecondFactor } from "../second-factor.ts";
import type { TellFactorRefused } from "../tell-factor-refused.ts";
import type { TellNewDevice } from "../tell-new-device.ts";

/** The end of a sign-in at a provider as it came in; its flow is of this browser, and not over. */
export interface ExternalLogin extends ProviderReturn, SessionRequest, Omit<ExternalCaller, "providerId"> {
  provider: Provider;
  flow: Flow;
  /** A code of the second factor. */
  otp?: Otp | undefined;
  /** What the client keeps of earlier logins (lib/attempts/known-devices.ts). */
  device: string | undefined;
  /** The pairs that the browser had until now; nothing about them is known to be true. */
  pairs: PresentedToken[];
}

interface FinishOptions {
  flows: FlowStore;
  redeem: Redeem["redeem"];
  findAccount: FindAccount;
  users: Pick<UserStore, "find">;
  sessions: Pick<SessionStore, "find">;
  attempts: AttemptLimit;
  lookAtOtp: SecondFactor;
  devices: Pick<Devices, "find" | "isCurrent" | "remember">;
  sources: SourceLimit;
  pairs: Pick<PairIssuer, "ready" | "issue">;
  openSession: OpenSession;
  endEarlierSessions: EndEarlierSessions;
  /** Undefined where nobody is told. */
  tellNewDevice: TellNewDevice | undefined;
  tellFactorRefused: TellFactorRefused | undefined;
  /** Told of a provider that does not answer, and of a note that could not be written. */
  noteFailure: (error: unknown) => void;
  /** Told of an account that was made. */
  noteCreated: () => void;
  clock: Clock;
}

/** What a refusal leaves good: the provider has said who it is, and the same sign-in goes on where this is mended. */
const mendable = ["second_factor_required", "invalid_otp", "too_many_attempts", "unavailable"];

/** Makes the use case that ends a sign-in at a provider: its code is redeemed once, and every repeat gets the same bytes. */
export function createFinishSignIn(options: FinishOptions) {
  const { flows, users, sessions, devices, pairs, clock, noteFailure } = options;
  const lookAtFactor = createLookAtFactor(options);

  /**
   * Opens a session. Throws AppError `sign_in_refused`, `email_not_verified`, `email_taken`, `registration_closed`,
   * `second_factor_required`, `invalid_otp`, `too_many_attempts`, `too_many_requests`, `provider_unavailable`, `unavailable`.
   */
  return async function finishSignIn(request: ExternalLogin): Promise<OpenedSession> {
    // Without a key to sign with nobody can log in, and no code is redeemed.
    await pairs.ready();
    await options.sources.count(request.ip);
    const begun = await flows.begin(request.flow, clock());
    if (begun.is === "refused") throw repeatRefusal(begun.code);
    if (begun.is === "busy") throw new AppError("unavailable");
    if (begun.is === "done") return repeat(begun, request);
    const { lease } = begun;
    const { user, ...proven } = begun.proven
      ? { ...begun.proven, user: await users.find(begun.proven.userId) }
      : await prove(request, lease);
    try {
      return await open(user, proven, request, lease);
    } catch (error) {
      const code = error instanceof AppError ? error.code : "";
      await noted(mendable.includes(code) ? flows.suspend(lease, proven) : flows.refuse(lease, code));
      throw error;
    }
  };

  /** Has the provider say who it is, and finds the account. What is over for good is noted: the code is never sent again. */
  async function prove(request: ExternalLogin, lease: Lease): Promise<ProvenUser & { user: User }> {
    const { provider, flow } = request;
    try {
      const evidence = await options.redeem(provider, flow, request).catch(refuseProvider);
      const { user, isNew } = await options.findAccount(evidence, { ...request, providerId: provider.id });
      if (isNew) options.noteCreated();
      return { userId: user.userId, identity: evidence.identity, user };
    } catch (error) {
      const code = error instanceof AppError ? error.code : "";
      if (code === "provider_unavailable") await noted(flows.release(lease));
      // Of trouble of our own nothing can be noted; the code may be spent.
      else if (code !== "unavailable") await noted(flows.refuse(lease, code));
      throw error;
    }
  }

  async function open(
    found: User | undefined,
    proven: ProvenUser,
    request: ExternalLogin,
    lease: Lease,
  ): Promise<OpenedSession> {
    let n = 0;
    const named = { ...request, nextSession: () => deriveSession(request.flow, ++n) };
    const finish = () => noted(flows.finish(lease, proven, n));
    // The sessions of the user may all be ended while we work; then start again, once.
    const opened =
      (await tryOpen(assertNamed(found, proven), named, finish)) ??
      (await tryOpen(assertNamed(await users.find(proven.userId), proven), named, finish));
    if (!opened) throw new AppError("unavailable");
    return opened;
  }

  /** The identity may have been unlinked since the provider named it, and the account disabled. */
  function assertNamed(user: User | undefined, { identity }: ProvenUser): User {
    if (user?.identityIds?.has(identity) && !isDisabled(user, clock())) return user;
    throw providerRefusal("sign_in_refused", { reason: user ? "account disabled" : "account gone" });
  }

  async function tryOpen(
    user: User,
    request: ExternalLogin,
    finish: () => Promise<void>,
  ): Promise<OpenedSession | undefined> {
    const factor = user.totp && (await lookAtFactor(user, request));
    const kept = await devices.find(user.userId, request.device);
    const isNew = !kept || !devices.isCurrent(kept, user);
    const { tellNewDevice } = options;
    const tell = async () => (isNew ? tellNewDevice?.(user, request) : undefined);
    // With a second factor nobody is in, and nothing done, before its code is used up.
    const pair = factor
      ? await options.openSession(user, { ...request, amr: amrOf.code }, { confirm: factor.claim })
      : await options.openSession(user, request, { meanwhile: both(finish, tell) });
    if (!pair) return undefined;
    if (factor) await settleAll([finish(), tell(), factor.succeed()]);
    const { sessionId } = pair;
    const device = await devices.remember({ ...user, sessionId }, request.device);
    await options.endEarlierSessions(request.pairs, kept);
    return { pair, device };
  }

  /** The answer was lost: the session is there, and nobody has renewed it. The same request gets the same bytes. */
  async function repeat(
    { proven: { userId }, done }: { proven: ProvenUser; done: number },
    request: ExternalLogin,
  ): Promise<OpenedSession> {
    const { sessionId, refreshToken } = deriveSession(request.flow, done);
    const session = await sessions.find({ userId, sessionId });
    const isIts =
      session !== undefined &&
      session.expiresAt > clock() &&
      isSameHash(session.tokenHash, hashToken(refreshToken)) &&
      isKeyPresented(session, hashClientKeys({ ...request, previousIdempotencyKey: undefined }));
    if (!isIts) throw providerRefusal("sign_in_refused", { reason: "session gone" });
    const pair = await pairs.issue(session, refreshToken);
    return { pair, device: await devices.remember(session, request.device) };
  }

  /** What cannot be noted is no reason to refuse: a repeat then has to wait, or to begin again. */
  async function noted(writing: Promise<void>): Promise<void> {
    await writing.catch(noteFailure);
  }
}

const both = (one: () => Promise<void>, other: () => Promise<void>) => async () => {
  await settleAll([one(), other()]);
};
