import { createChallenges, createCodes, createMailId, formatCode } from "../../lib/mail/codes.ts";
import type { CodeKind } from "../../lib/mail/kinds.ts";
import { importHashKeys, parseHashKeySet } from "../../lib/tokens/hash-keys.ts";
import { createKeyedHash } from "../../lib/tokens/keyed-hash.ts";
import { clock } from "./clock.ts";
import { keepSecrets } from "./log.ts";
import type { Service } from "./service.ts";

/** Makes codes past the service, for whoever does not want to wait for a mail: as if it had been asked for and sent. */
export function createCodesWithoutMail({ database, environment }: Service) {
  function keyedHashOf(text = "") {
    const keys = importHashKeys(parseHashKeySet(text));
    return createKeyedHash({
      hashKeys: { ready: async () => {}, get: async () => keys },
      clock: () => clock.now,
    });
  }
  const challenges = createChallenges(keyedHashOf(environment.HASH_KEYS));
  const codes = createCodes(keyedHashOf(environment.CODE_KEYS));

  /** The code as it stands in the mail that came of a challenge. */
  async function codeOf(kind: CodeKind, challenge: string): Promise<string> {
    const [id = ""] = challenge.split(".");
    return formatCode(await codes.derive({ kind, id, createdAt: clock.now }));
  }

  async function mailCode(kind: CodeKind, { email, userId }: { email: string; userId: string }) {
    const [id, createdAt] = [createMailId({ kind, email }), clock.now];
    const times = {
      createdAt,
      validUntil: createdAt + 3_600,
      expiresAt: createdAt + 604_800,
      sentAt: createdAt,
    };
    await database.put("mails", { id, kind, email, userId, language: "en", ...times });
    const made = {
      challenge: await challenges.issue(kind, id),
      code: await codes.derive({ kind, id, createdAt }),
    };
    keepSecrets(made.challenge, made.code);
    return made;
  }
  return { codeOf, mailCode };
}
