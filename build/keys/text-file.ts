import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KeySetMovedError } from "./store.ts";
import type { TextStore } from "./text-store.ts";

/** Opens a file of `npm start` that holds secrets; readable by its owner only, never half written. */
export function openTextFile(folder: string, file: string): TextStore {
  const path = join(folder, file);

  async function read(): Promise<string | undefined> {
    return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return undefined;
    });
  }

  /** Writes a file beside the real one and lets `place` put it there, in one step. */
  async function write(text: string, place: (written: string) => Promise<void>): Promise<void> {
    const written = `${path}.${randomUUID()}`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(written, text, { mode: 0o600, flag: "wx" });
    await place(written).finally(() => rm(written, { force: true }));
  }

  return {
    name: `The file ${path}`,

    async find() {
      const text = await read();
      return text === undefined ? undefined : { text, version: hash(text) };
    },

    async create(text) {
      await write(text, (written) =>
        link(written, path).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "EEXIST") throw error;
        }),
      );
    },

    async replace(version, text) {
      await write(text, async (written) => {
        if (hash((await read()) ?? "") !== version) throw new KeySetMovedError("changed meanwhile");
        await rename(written, path);
      });
    },
  };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
