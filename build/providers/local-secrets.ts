import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where `npm run providers -- secret` keeps the secrets of `npm start`. */
export const localFile = "provider-keys.json";

/** The secrets of `npm start` at providers, as PROVIDER_KEYS has them; undefined where none were stored. */
export function findLocalProviderKeys(folder: string): string | undefined {
  const path = join(folder, localFile);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
