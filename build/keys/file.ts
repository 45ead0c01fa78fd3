import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KeyLife } from "../../lib/tokens/key-set.ts";
import type { KeySetKind } from "./sets.ts";
import { KeySetMovedError, type KeyStore } from "./store.ts";

/** Opens the file that holds a key set of `npm start`; readable by its owner only, never half written. */
export function openKeyFile<Key extends KeyLife>(folder: string, kind: KeySetKind<Key>): KeyStore<Key> {
  const path = join(folder, kind.file);

  async function read(): Promise<string | undefined> {
    return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return undefined;
    });
  }

  /** Writes a file beside the real one and lets `place` put it there, in one step. */
  async function write(set: object, place: (written: string) => Promise<void>): Promise<void> {
    const written = `${path}.${randomUUID()}`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(written, JSON.stringify(set), { mode: 0o600, flag: "wx" });
    await place(written).finally(() => rm(written, { force: true }));
  }

  return {
    name: `The file ${path}`,
    kind,

    async find() {
      const text = await read();
      if (text === undefined) return undefined;
      try {
        return { set: { keys: kind.parse(text) }, version: hash(text) };
      } catch (error) {
        throw new Error(`The file ${path} ${(error as TypeError).message}`);
      }
    },

    async create(set) {
      await write(set, (written) =>
        link(written, path).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "EEXIST") throw error;
        }),
      );
    },

    async replace({ version }, set) {
      await write(set, async (written) => {
        if (hash((await read()) ?? "") !== version) throw new KeySetMovedError("changed meanwhile");
        await rename(written, path);
      });
    },
  };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
