import { createEndEarlierSessions } from "./auth/end-earlier-sessions.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { note } from "./log.ts";
import { createSessionOpening, type sessionOpeningSettings } from "./session-opening.ts";
import { createSessionNote } from "./sessions/note.ts";
import { createKeyedHash } from "./tokens/keyed-hash.ts";
import { importVerificationKeys } from "./tokens/keys.ts";
import { createExpiredTokenVerifier } from "./tokens/verify-access-token.ts";

/**
 * Makes, once per sandbox, what every way of logging in is made of: the one way to a session, and the end of what the
 * browser had before.
 */
export async function createLoginOpening(config: Config<keyof typeof sessionOpeningSettings>) {
  const opening = await createSessionOpening(config);
  const keyedHash = createKeyedHash(opening.needs);
  const keys = await importVerificationKeys(config.jwtPublicKeys);
  return {
    ...opening,
    keyedHash,
    noteSession: createSessionNote(keyedHash),
    endEarlierSessions: createEndEarlierSessions({
      sessions: opening.sessions,
      verifyExpiredToken: createExpiredTokenVerifier({ ...config, keys, clock: systemClock }),
      noteFailure: (error) => note({ error }),
    }),
  };
}
