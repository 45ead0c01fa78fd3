import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { KeyedHash } from "../tokens/keyed-hash.ts";

/** What a browser keeps of a login: which session it opened, whose, and until when it counts. */
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
/** `userId.sessionId.epoch.day.mac`, and so on after a `~`. */
const entry = "([\\w-]{1,64})\\.([\\w-]{1,64})\\.(\\d{1,10})\\.(\\d{1,6})\\.([\\w-]{22})";
const shape = new RegExp(`^${entry}(?:~${entry}){0,${maxAccounts - 1}}$`);

/** Knows the browsers that have logged in to an account (OWASP device cookies). */
export type Devices = ReturnType<typeof createDevices>;

/**
 * Makes what recognises a browser by the text that it keeps: each entry has a keyed hash of itself and the e-mail
 * address, so that only a login to the account makes one. It opens nothing.
 */
export function createDevices({ hash, hashes }: KeyedHash, clock: Clock) {
  const label = (email: string, text: string) => `device cookie:${text}:${email}`;
  const today = () => Math.floor(clock() / daySeconds);

  return {
    /** The entry for this address, if there is a genuine one. Throws AppError `unavailable`. */
    async find(email: string, text: string | undefined): Promise<Device | undefined> {
      for (const { text: entry, device, mac } of parse(text)) {
        const macs = await hashes(label(email, entry));
        if (macs.some((genuine) => isSameMac(genuine, mac))) return device;
      }
      return undefined;
    },

    /** Answers whether a genuine entry still counts for the account that has the address now. */
    isCurrent({ userId, sessionEpoch, expiresDay }: Device, user: DeviceOwner | undefined): boolean {
      return userId === user?.userId && sessionEpoch === user.sessionEpoch && today() <= expiresDay;
    },

    /** The text to keep after a login: an entry for its session, and those of other accounts. */
    async remember(
      opened: DeviceOwner & { email: string; sessionId: string },
      text: string | undefined,
    ): Promise<string> {
      const { email, userId, sessionId, sessionEpoch } = opened;
      const replaced = await this.find(email, text);
      const others = parse(text).filter(({ device }) => device.sessionId !== replaced?.sessionId);
      const made = [userId, sessionId, sessionEpoch, today() + deviceMemoryDays].join(".");
      const mac = (await hash(label(email, made))).slice(0, 22);
      return [`${made}.${mac}`, ...others.map(({ text, mac }) => `${text}.${mac}`)]
        .slice(0, maxAccounts)
        .join("~");
    },
  };
}

/** Whose entry it is: the account, and which of its sessions still count. */
interface DeviceOwner {
  userId: string;
  sessionEpoch: number;
}

function parse(text: string | undefined): { text: string; device: Device; mac: string }[] {
  if (text === undefined || !shape.test(text)) return [];
  return text.split("~").map((part) => {
    const [userId = "", sessionId = "", sessionEpoch, expiresDay, mac = ""] = part.split(".");
    const device = {
      ...{ userId, sessionId, sessionEpoch: Number(sessionEpoch), expiresDay: Number(expiresDay) },
    };
    return { text: part.slice(0, part.lastIndexOf(".")), device, mac };
  });
}

function isSameMac(genuine: string, mac: string): boolean {
  return timingSafeEqual(Buffer.from(genuine.slice(0, mac.length)), Buffer.from(mac));
}
