import { createChange } from "../../accounts/change.ts";
import type { Directory } from "../../accounts/directory.ts";
import { type IdentityEntry, type IdentityStore, maxIdentities } from "../../accounts/identities.ts";
import { type IdentityView, viewIdentity } from "../../accounts/identity-view.ts";
import type { User, UserStore } from "../../accounts/store.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Flow } from "../../providers/flow.ts";
import type { FlowStore, Lease } from "../../providers/flow-store.ts";
import type { Provider } from "../../providers/provider.ts";
import type { ProviderReturn, Redeem } from "../../providers/redeem.ts";
import { providerRefusal, refuseProvider, repeatRefusal } from "../../providers/refusals.ts";
import type { Client, Session } from "../../sessions/session.ts";
import { assertCurrent, getCurrentUser } from "../current-user.ts";
import { assertMayChangeFactor, assertProven } from "../factor-owner.ts";

/** The end of a link as it came in; its flow is of this browser and this session, and not over. */
export interface IdentityLink extends ProviderReturn, Client {
  provider: Provider;
  flow: Flow;
  requestId: string;
}

interface LinkOptions {
  flows: FlowStore;
  redeem: Redeem["redeem"];
  users: Pick<UserStore, "find">;
  identities: Pick<IdentityStore, "find">;
  directory: Pick<Directory, "link">;
  /** Where mail is on, an identity is only for a proven address. */
  hasMail: boolean;
  /** Told of a note that could not be written. */
  noteFailure: (error: unknown) => void;
  clock: Clock;
}

/** Makes the use case that has one more identity open the caller's account. */
export function createLinkIdentity(options: LinkOptions) {
  const { flows, users, identities, clock, noteFailure } = options;

  /**
   * Links the identity; the same request may come again. Throws AppError `identity_taken`, `too_many_identities`,
   * `email_unproven`, `insufficient_user_authentication`, `sign_in_refused`, `provider_unavailable`, `invalid_token`, `unavailable`.
   */
  return async function linkIdentity(caller: Session, request: IdentityLink): Promise<IdentityView> {
    const user = await getCurrentUser(users, caller, clock());
    assertMay(user, caller);
    const begun = await flows.begin(request.flow, clock());
    if (begun.is === "refused") throw repeatRefusal(begun.code);
    if (begun.is === "busy") throw new AppError("unavailable");
    if (begun.is === "done") return findLinked(user, begun.proven.identity);
    return link(user, caller, request, begun.lease);
  };

  function assertMay(user: User, caller: Session): void {
    assertMayChangeFactor(user, caller);
    assertProven(user, options.hasMail);
  }

  /** What is over for good is noted: the code is never sent again. */
  async function link(
    user: User,
    caller: Session,
    request: IdentityLink,
    lease: Lease,
  ): Promise<IdentityView> {
    const { provider, flow } = request;
    try {
      const { identity, email } = await options.redeem(provider, flow, request).catch(refuseProvider);
      const entry: IdentityEntry = {
        ...{ identity, userId: user.userId, createdAt: clock(), provider: provider.id },
        ...(email !== undefined && { email }),
      };
      const linked = user.identityIds?.has(identity)
        ? await findLinked(user, identity)
        : await write(caller, entry, request);
      await noted(flows.finish(lease, { userId: user.userId, identity }, 0));
      return linked;
    } catch (error) {
      const code = error instanceof AppError ? error.code : "";
      if (code === "provider_unavailable") await noted(flows.release(lease));
      else if (code !== "unavailable") await noted(flows.refuse(lease, code));
      throw error;
    }
  }

  async function write(caller: Session, entry: IdentityEntry, request: IdentityLink): Promise<IdentityView> {
    const { ip, userAgent, requestId } = request;
    const client = { ip, userAgent };
    const change = createChange("identity_linked", { by: "user", client, requestId }, entry.createdAt);
    const isOfOneFactor = caller.amr === undefined;
    const outcome = await options.directory.link(caller, entry, {
      change,
      condition: isOfOneFactor ? "attribute_not_exists(totp)" : "attribute_exists(userId)",
    });
    if (outcome.is === "linked") return viewIdentity(entry);
    const latest = outcome.is === "overtaken" ? outcome.user : await users.find(caller.userId);
    assertCurrent(latest, caller, entry.createdAt);
    // Another request of the same caller was first.
    if (latest.identityIds?.has(entry.identity)) return findLinked(latest, entry.identity);
    if (outcome.is === "taken") throw providerRefusal("identity_taken");
    assertMay(latest, caller);
    if ((latest.identityIds?.size ?? 0) >= maxIdentities) throw providerRefusal("too_many_identities");
    throw new AppError("unavailable");
  }

  async function findLinked(user: User, identity: string): Promise<IdentityView> {
    const entry = user.identityIds?.has(identity) ? await identities.find(identity) : undefined;
    if (!entry) throw providerRefusal("sign_in_refused", { reason: "session gone" });
    return viewIdentity(entry);
  }

  async function noted(writing: Promise<void>): Promise<void> {
    await writing.catch(noteFailure);
  }
}
