import type { FirebaseHashing } from "./systems.ts";

/**
 * Reads the parameters of a project's hashes as Firebase's console shows them (`hash_config { base64_signer_key: …, … }`). Throws
 * Error that says what is missing; quotes no key.
 */
export function readFirebaseHashing(text: string): FirebaseHashing {
  const find = (name: string, value: string): string => {
    const [, found] = new RegExp(`\\b${name}["']?\\s*:\\s*["']?(${value})["']?`).exec(text) ?? [];
    if (found === undefined) throw new Error(`The file of --firebase-hash lacks ${name}.`);
    return found;
  };
  return {
    signerKey: find("base64_signer_key", "[A-Za-z0-9+/]+={0,2}"),
    saltSeparator: find("base64_salt_separator", "[A-Za-z0-9+/]+={0,2}"),
    rounds: Number(find("rounds", "\\d+")),
    memoryCost: Number(find("mem_cost", "\\d+")),
  };
}
