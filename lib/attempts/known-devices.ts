import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";

/** What a browser keeps of a login: which session it opened, and until when it counts; and whose it was found to be. */
export interface Device {
  userId: string;
  sessionId: string;
  /** The user's `sessionEpoch` then: when that is raised, the entry is nobody's. */
  sessionEpoch: number;
  /** The day, counted from the epoch, after which it is forgotten. */
  expiresDay: number;
}

/** A browser keeps an entry for each of the last four accounts that logged in there, the latest first. */
const maxAccounts = 4;
/** How long an entry counts. */
export const deviceMemoryDays = 90;
const daySeconds = 86_400;
/** `sessionId.epoch.day.mac`, and so on after a `~`. */
const entry = "([\\w-]{1,64})\\.(\\d{1,10})\\.(\\d{1,6})\\.([\\w-]{22})";
const shape = new RegExp(`^${entry}(?:~${entry}){0,${maxAccounts - 1}}$`);

/** Knows the browsers that have logged in to an account (OWASP device cookies). */
export type Devices = ReturnType<typeof createDevices>;

/**
 * Makes what recognises a browser by the text that it keeps: each entry has a keyed hash of itself and the userId, so that
 * only a login to the account makes one. It opens nothing.
 */
export function createDevices({ hash, hashes }: KeyedHash, clock: Clock) {
  const label = (userId: string, text: string) => `device cookie:${text}:${userId}`;
  const today = () => Math.floor(clock() / daySeconds);

  return {
    /** The entry for this user, if there is a genuine one. Throws AppError `unavailable`. */
    async find(userId: string, text: string | undefined): Promise<Device | undefined> {
      for (const { text: entry, device, mac } of parse(text)) {
        const macs = await hashes(label(userId, entry));
        if (macs.some((genuine) => isSameMac(genuine, mac))) return { userId, ...device };
      }
      return undefined;
    },

    /** Answers whether a genuine entry still counts for its user. */
    isCurrent({ sessionEpoch, expiresDay }: Device, user: Pick<Device, "sessionEpoch"> | undefined): boolean {
      return sessionEpoch === user?.sessionEpoch && today() <= expiresDay;
    },

    /** The text to keep after a login: an entry for its session, and those of other accounts. */
    async remember(opened: Omit<Device, "expiresDay">, text: string | undefined): Promise<string> {
      const { userId, sessionId, sessionEpoch } = opened;
      const replaced = await this.find(userId, text);
      const others = parse(text).filter(({ device }) => device.sessionId !== replaced?.sessionId);
      const made = [sessionId, sessionEpoch, today() + deviceMemoryDays].join(".");
      const mac = (await hash(label(userId, made))).slice(0, 22);
      return [`${made}.${mac}`, ...others.map(({ text, mac }) => `${text}.${mac}`)]
        .slice(0, maxAccounts)
        .join("~");
    },
  };
}

function parse(text: string | undefined): { text: string; device: Omit<Device, "userId">; mac: string }[] {
  if (text === undefined || !shape.test(text)) return [];
  return text.split("~").map((part) => {
    const [sessionId = "", sessionEpoch, expiresDay, mac = ""] = part.split(".");
    const device = { sessionId, sessionEpoch: Number(sessionEpoch), expiresDay: Number(expiresDay) };
    return { text: part.slice(0, part.lastIndexOf(".")), device, mac };
  });
}

function isSameMac(genuine: string, mac: string): boolean {
  return timingSafeEqual(Buffer.from(genuine.slice(0, mac.length)), Buffer.from(mac));
}
