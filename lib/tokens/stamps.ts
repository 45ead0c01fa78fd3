import { timingSafeEqual } from "node:crypto";
import { parseBase64url } from "../base64url.ts";
import type { ClockMs } from "../clock.ts";
import type { KeyedHash } from "./keyed-hash.ts";

/** 6 bytes of milliseconds in front, a MAC of 16 bytes at the end. */
const [timeLength, macLength] = [6, 16];
/** The clock of another machine may be so far ahead. */
const skewMs = 5_000;

/** What a text turned out to be. `madeAt`: epoch milliseconds. */
export type OpenedStamp = { is: "genuine"; madeAt: number; content: Buffer } | { is: "forged" | "old" };

/** How a text is to be made to count: what it was made for, and for how long that counts. */
export interface StampRule {
  /** Whatever the text is bound to; a text for another purpose is forged. */
  purpose: string;
  /** Of the content, in bytes. */
  length: number;
  maxAgeSeconds: number;
}

/** Makes and knows again short texts that carry their time and a keyed hash; nothing is stored of them. */
export type Stamps = ReturnType<typeof createStamps>;

/** Makes the maker of such texts. Both functions throw AppError `unavailable` without a hash key. */
export function createStamps({ hash, hashes }: KeyedHash, clockMs: ClockMs) {
  const label = (purpose: string, body: Buffer) => `${purpose}:${body.toString("base64url")}`;
  const toMac = (hashed: string) => Buffer.from(hashed, "base64url").subarray(0, macLength);

  return {
    /** Makes a text for a purpose that carries this content: base64url, 22 bytes longer. */
    async make(purpose: string, content: Buffer): Promise<string> {
      const body = Buffer.concat([Buffer.alloc(timeLength), content]);
      body.writeUIntBE(clockMs(), 0, timeLength);
      return Buffer.concat([body, toMac(await hash(label(purpose, body)))]).toString("base64url");
    },

    /** Tells what a text is, and when it was made. */
    async open(text: string, { purpose, length, maxAgeSeconds }: StampRule): Promise<OpenedStamp> {
      const bytes = parseBase64url(text);
      if (bytes?.length !== timeLength + length + macLength) return { is: "forged" };
      const [body, mac] = [bytes.subarray(0, -macLength), bytes.subarray(-macLength)];
      const genuine = (await hashes(label(purpose, body))).map(toMac);
      if (!genuine.some((other) => timingSafeEqual(other, mac))) return { is: "forged" };
      const madeAt = body.readUIntBE(0, timeLength);
      const age = clockMs() - madeAt;
      if (age > maxAgeSeconds * 1000 || age < -skewMs) return { is: "old" };
      return { is: "genuine", madeAt, content: body.subarray(timeLength) };
    },
  };
}
