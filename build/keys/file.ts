import type { KeyLife } from "../../lib/tokens/key-set.ts";
import type { KeySetKind } from "./sets.ts";
import type { KeyStore } from "./store.ts";
import { openTextFile } from "./text-file.ts";
import { openKeySet } from "./text-store.ts";

/** Opens the file that holds a key set of `npm start`; readable by its owner only, never half written. */
export const openKeyFile = <Key extends KeyLife>(folder: string, kind: KeySetKind<Key>): KeyStore<Key> =>
  openKeySet(openTextFile(folder, kind.file), kind);
