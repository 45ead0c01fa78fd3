import { readFileSync } from "node:fs";
import { parseProviderKey } from "../../lib/providers/provider-keys.ts";
import { openSecret } from "../keys/secret.ts";
import { KeySetMovedError } from "../keys/store.ts";
import { openTextFile } from "../keys/text-file.ts";
import type { TextStore } from "../keys/text-store.ts";
import { localFile } from "./local-secrets.ts";

/** Opens where the secrets at the providers are kept: of a stage, or of `npm start`. */
export function openProviderSecrets({ stage, region }: { stage?: string; region: string }): TextStore {
  if (stage === undefined) return openTextFile(process.env.LOCAL_DIR ?? ".local", localFile);
  const [, service] = /^service: (\S+)$/m.exec(readFileSync("serverless.yml", "utf8")) ?? [];
  return openSecret(
    { secretId: `${service}-${stage}-provider-keys`, region },
    {
      description: "Client secrets at the providers that users sign in with; changed by `npm run providers`",
      remake: "this command makes it again",
    },
  );
}

/** What stands in the store, by the ids of the providers; nothing of it is checked. Throws Error. */
export async function readSecrets(
  store: TextStore,
): Promise<{ entries: Record<string, unknown>; version: string | undefined }> {
  const found = await store.find();
  if (!found) return { entries: {}, version: undefined };
  return { entries: parseSecrets(store.name, found.text), version: found.version };
}

/** What stands in a text, by the ids of the providers; nothing of it is checked. Throws Error that quotes none of it. */
export function parseSecrets(name: string, text: string): Record<string, unknown> {
  try {
    const entries: unknown = JSON.parse(text);
    if (typeof entries === "object" && entries !== null && !Array.isArray(entries))
      return entries as Record<string, unknown>;
  } catch {
    // The parser's message quotes the text.
  }
  throw new Error(`${name} holds no JSON object.`);
}

/** Puts what belongs to one provider, or with undefined takes it away, and gives the ids that there are then. Throws Error. */
export async function putSecret(store: TextStore, id: string, entry: object | undefined): Promise<string[]> {
  if (entry) parseProviderKey(id, entry);
  const { entries, version } = await readSecrets(store);
  const { [id]: before, ...others } = entries;
  if (!entry && before === undefined) throw new Error(`${store.name} holds nothing for ${id}.`);
  const text = JSON.stringify(entry ? { ...entries, [id]: entry } : others);
  const meanwhile = new Error(
    `${store.name} was changed by somebody else meanwhile; nothing was done. Repeat.`,
  );
  if (version === undefined) {
    await store.create(text);
    // Somebody may have made it at the same time.
    if ((await store.find())?.text !== text) throw meanwhile;
  } else {
    await store.replace(version, text).catch((error: unknown) => {
      throw error instanceof KeySetMovedError ? meanwhile : error;
    });
  }
  return Object.keys(JSON.parse(text));
}

/** What the text on standard input is for a provider: a client secret, or the text of Apple's file. Throws TypeError. */
export function toProviderKey(input: string, { teamId, keyId }: { teamId?: string; keyId?: string }): object {
  const text = input.trim();
  if (text === "")
    throw new TypeError("Nothing came on standard input: npm run providers -- secret <id> < file");
  if (teamId !== undefined) return { teamId, keyId, privateKey: `${text}\n` };
  if (text.startsWith("-----BEGIN"))
    throw new TypeError("That is a private key, as Apple gives: add --team-id <id> and --key-id <id>.");
  return { clientSecret: text };
}
