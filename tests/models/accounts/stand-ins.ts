import { createRequire } from "node:module";

// What the use cases draw of chance is told by who draws it and how often, and the system's clock stands still, so that a
// repetition gives the same; and a hash is argon2id with the least memory there is: a model hashes ten thousand times.
// Only modules that are imported after this one see it.

const crypto: typeof import("node:crypto") = createRequire(import.meta.url)("node:crypto");
const { randomUUID, randomBytes, argon2Sync, createHash } = crypto;

let drawer: { name: string; draws: number } | undefined;
const passwords = new Map<string, string>();

/** From now on this one draws. */
export function drawAs(name: string): void {
  drawer = { name: name.replace(/\W/g, "-"), draws: 0 };
}

/** The password behind a hash that was made here. */
export const passwordOf = (hash = ""): string => passwords.get(hash.split("$").at(-1) ?? "") ?? "";

const draw = () => drawer && `${drawer.name}-${++drawer.draws}`;

Object.assign(crypto, {
  randomUUID: () => draw() ?? randomUUID(),
  randomBytes(size: number) {
    const name = draw();
    return name ? createHash("sha512").update(name).digest().subarray(0, size) : randomBytes(size);
  },
  argon2(...[algorithm, parameters, callback]: Parameters<typeof crypto.argon2>) {
    const tag = argon2Sync(algorithm, { ...parameters, memory: 8, passes: 1 });
    const text = Buffer.from(tag).toString("base64").replace(/=+$/, "");
    if (!passwords.has(text)) passwords.set(text, String(parameters.message));
    callback(null, tag);
  },
});

Date.now = () => 0;
