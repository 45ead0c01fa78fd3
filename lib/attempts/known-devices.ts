import { randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyedHash } from "../tokens/keyed-hash.ts";

/** A browser keeps an entry for each of the last four accounts that logged in there, the latest first. */
const maxAccounts = 4;
/** `nonce.mac~nonce.mac`, 16 bytes each in base64url. */
const shape = /^[\w-]{22}\.[\w-]{22}(~[\w-]{22}\.[\w-]{22}){0,3}$/;

/** Knows the browsers that have logged in to an account (OWASP device cookies). */
export type Devices = ReturnType<typeof createDevices>;

/**
 * Makes what recognises a browser by the text that it keeps. The text names no account: each entry is a random nonce
 * and a keyed hash of it and the e-mail address. It is forgotten with the key that signed when it was made.
 */
export function createDevices({ hash, hashes }: KeyedHash) {
  const label = (email: string, nonce: string) => `device cookie:${nonce}:${email}`;

  return {
    /** The nonce of the entry for this account, if there is a genuine one. Throws AppError `unavailable`. */
    async find(email: string, text: string | undefined): Promise<string | undefined> {
      for (const { nonce, mac } of parse(text)) {
        const macs = await hashes(label(email, nonce));
        if (macs.some((genuine) => isSameMac(genuine, mac))) return nonce;
      }
      return undefined;
    },

    /** The text to keep after a login: a new entry for this account, and those of others. */
    async remember(email: string, text: string | undefined): Promise<string> {
      const replaced = await this.find(email, text);
      const others = parse(text).filter(({ nonce }) => nonce !== replaced);
      const nonce = randomBytes(16).toString("base64url");
      const mac = (await hash(label(email, nonce))).slice(0, 22);
      return [{ nonce, mac }, ...others]
        .slice(0, maxAccounts)
        .map((entry) => `${entry.nonce}.${entry.mac}`)
        .join("~");
    },
  };
}

function parse(text: string | undefined): { nonce: string; mac: string }[] {
  if (text === undefined || !shape.test(text)) return [];
  return text.split("~").map((entry) => ({ nonce: entry.slice(0, 22), mac: entry.slice(23) }));
}

function isSameMac(genuine: string, mac: string): boolean {
  return timingSafeEqual(Buffer.from(genuine.slice(0, mac.length)), Buffer.from(mac));
}
