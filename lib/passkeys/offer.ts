import type { PasskeyChallenges } from "./challenge.ts";
import { createCreationOptions } from "./options.ts";

interface OfferOptions {
  challenges: Pick<PasskeyChallenges, "create">;
  rpId: string;
  /** What dialogs call the application. */
  rpName: string;
}

/** Makes what offers whoever registers a passkey in place of a password. */
export function createOfferPasskey({ challenges, rpId, rpName }: OfferOptions) {
  /**
   * Gives what the browser makes a passkey by, for the user to be; it is good for as long as the mailed code. Throws AppError
   * `unavailable`.
   */
  return async function offerPasskey(userId: string, email: string) {
    const challenge = await challenges.create(`register:${userId}`);
    return createCreationOptions({ id: rpId, name: rpName }, { userId, email }, challenge);
  };
}
