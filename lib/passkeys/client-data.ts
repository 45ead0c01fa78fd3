import * as v from "valibot";
import { PasskeyError } from "./passkey-error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What counts of the collected client data (WebAuthn Level 3, 5.8.1); browsers add members at will. */
const schema = v.object({
  type: v.string(),
  challenge: v.string(),
  origin: v.string(),
  crossOrigin: v.optional(v.literal(false)),
  topOrigin: v.optional(v.undefined()),
});

/** What client data has to say. */
interface Expected {
  type: "webauthn.create" | "webauthn.get";
  origins: readonly string[];
}

/** Gives the challenge that a browser had signed, by its client data. Throws PasskeyError. */
export function parseClientData(bytes: Buffer, { type, origins }: Expected): string {
  const { success, output } = v.safeParse(schema, parseJson(bytes));
  if (!success || output.type !== type) throw new PasskeyError("client data refused");
  if (!origins.includes(output.origin)) throw new PasskeyError("wrong origin");
  return output.challenge;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new PasskeyError("client data refused");
  }
}
