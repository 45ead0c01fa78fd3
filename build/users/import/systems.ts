import type { ReadRecords } from "./records.ts";
import { readCsvRows, readJsonLines, readJsonUsers } from "./records.ts";

/** How Firebase hashes the passwords of a project: `firebase auth:export` does not say; its console does. */
export interface FirebaseHashing {
  signerKey: string;
  saltSeparator: string;
  rounds: number;
  memoryCost: number;
}

/** A system that users come from. */
export interface System {
  read: ReadRecords;
  /** Turns a record into the one that is imported; what it lacks, or has in another form, is refused there. */
  convert: (
    record: Record<string, unknown>,
    firebase: FirebaseHashing | undefined,
  ) => Record<string, unknown>;
}

type Value = Record<string, unknown>;
const asRecord = (value: unknown): Value =>
  typeof value === "object" && value !== null ? (value as Value) : {};
/** An empty field of CSV, and null, are none. */
const orNone = (value: unknown): unknown => (value === "" || value === null ? undefined : value);
const isTrue = (value: unknown): boolean => value === true || /^(t|true|1)$/i.test(String(value));
/** Of `enabled`, which may be empty: what is neither true nor false is given as it is, and refused. */
const toDisabled = (enabled: unknown): unknown => {
  if (isTrue(enabled) || orNone(enabled) === undefined) return false;
  return /^(f|false|0)$/i.test(String(enabled)) || enabled;
};
const unpadded = (base64: unknown): string => String(base64).replace(/=+$/, "");
const ofBytes = (bytes: Buffer): string => unpadded(bytes.toString("base64"));
/** Milliseconds, or a time as databases write it (`2024-01-31 12:00:00+00`). */
const toTime = (value: unknown): unknown => {
  const text = String(value ?? "");
  if (text === "") return undefined;
  return /^\d+$/.test(text) ? Math.floor(Number(text) / 1_000) : text;
};

/** All of them, by the name that the command knows. */
export const systems = {
  /** JSON lines as docs/import.md describes them. */
  canonical: { read: readJsonLines, convert: (record) => record },

  /** CSV with the names of the user pool's attributes; there are no passwords in it. */
  cognito: {
    read: readCsvRows,
    convert: (row) => ({
      id: orNone(row.sub ?? row["cognito:username"]),
      email: row.email,
      emailVerified: isTrue(row.email_verified),
      disabled: toDisabled(row.enabled),
    }),
  },

  /** JSON lines, as the support of Auth0 hands them over. */
  auth0: {
    read: readJsonLines,
    convert: (user) => ({
      id: orNone(user.user_id ?? asRecord(user._id).$oid),
      email: user.email,
      emailVerified: isTrue(user.email_verified),
      passwordHash: orNone(user.passwordHash),
      createdAt: orNone(asRecord(user.created_at).$date ?? user.created_at),
      disabled: isTrue(user.blocked),
    }),
  },

  /** What `firebase auth:export users.json --format=json` writes. */
  firebase: {
    read: readJsonUsers,
    convert: (user, firebase) => ({
      id: user.localId,
      email: user.email,
      emailVerified: isTrue(user.emailVerified),
      passwordHash: user.passwordHash && firebase ? toFirebaseHash(user, firebase) : undefined,
      createdAt: toTime(user.createdAt),
      disabled: isTrue(user.disabled),
    }),
  },

  /** CSV of `auth.users`. */
  supabase: {
    read: readCsvRows,
    convert: (row) => ({
      id: row.id,
      email: row.email,
      emailVerified: orNone(row.email_confirmed_at) !== undefined,
      passwordHash: orNone(row.encrypted_password),
      createdAt: orNone(row.created_at),
      disabled: orNone(row.banned_until) !== undefined,
    }),
  },

  /** CSV of the table `user`, with `password` of its `account`. */
  "better-auth": {
    read: readCsvRows,
    convert: (row) => ({
      id: row.id,
      email: row.email,
      emailVerified: isTrue(row.emailVerified),
      passwordHash: toBetterAuthHash(orNone(row.password)),
      createdAt: orNone(row.createdAt),
      disabled: isTrue(row.banned),
    }),
  },

  /** The file of users that `kc.sh export` writes. */
  keycloak: {
    read: readJsonUsers,
    convert: (user) => ({
      id: user.id,
      email: user.email,
      emailVerified: isTrue(user.emailVerified),
      passwordHash: toKeycloakHash(user.credentials),
      createdAt: toTime(user.createdTimestamp),
      disabled: toDisabled(user.enabled),
    }),
  },

  /** What `manage.py dumpdata auth.user --format jsonl` writes. */
  django: {
    read: readJsonLines,
    convert({ pk, fields }) {
      const { email, password, date_joined, is_active } = asRecord(fields);
      return {
        ...{ id: pk, email, createdAt: orNone(date_joined), disabled: is_active === false },
        passwordHash: toDjangoHash(orNone(password)),
      };
    },
  },

  /** CSV of the table of users. */
  devise: {
    read: readCsvRows,
    convert: (row) => ({
      id: row.id,
      email: row.email,
      emailVerified: orNone(row.confirmed_at) !== undefined,
      passwordHash: orNone(row.encrypted_password),
      createdAt: orNone(row.created_at),
    }),
  },
} satisfies Record<string, System>;

/** The name of a system that users come from. */
export type SystemName = keyof typeof systems;

function toFirebaseHash({ passwordHash, salt }: Value, firebase: FirebaseHashing): string {
  const { memoryCost, rounds, saltSeparator, signerKey } = firebase;
  const standard = (text: unknown) =>
    String(text ?? "")
      .replaceAll("-", "+")
      .replaceAll("_", "/");
  return `$fbscrypt$v=1,n=${memoryCost},r=${rounds},p=1,ss=${saltSeparator},sk=${signerKey}$${standard(salt)}$${standard(passwordHash)}`;
}

/** `<salt>:<key>`, both hex; the salt is the text of hex, not what it stands for. */
function toBetterAuthHash(hash: unknown): unknown {
  const [, salt = "", key = ""] = /^([\da-f]{32}):([\da-f]{128})$/.exec(String(hash)) ?? [];
  if (salt === "") return hash;
  return `$scrypt$ln=14,r=16,p=1$${ofBytes(Buffer.from(salt))}$${ofBytes(Buffer.from(key, "hex"))}`;
}

function toKeycloakHash(credentials: unknown): unknown {
  if (!Array.isArray(credentials)) return undefined;
  const credential = credentials.map(asRecord).find(({ type }) => type === "password");
  if (!credential) return undefined;
  const secret = parse(credential.secretData);
  const how = parse(credential.credentialData);
  const more = asRecord(how.additionalParameters);
  const only = (value: unknown): string => String(Array.isArray(value) ? value[0] : value);
  const tail = `$${unpadded(secret.salt)}$${unpadded(secret.value)}`;
  if (how.algorithm === "pbkdf2-sha256" || how.algorithm === "pbkdf2-sha512")
    return `$${how.algorithm}$i=${how.hashIterations}${tail}`;
  if (how.algorithm === "argon2")
    return `$argon2${only(more.type)}$v=19$m=${only(more.memory)},t=${how.hashIterations},p=${only(more.parallelism)}${tail}`;
  return String(how.algorithm);
}

/** `pbkdf2_sha256$<rounds>$<salt>$<tag>`, `argon2$argon2id$…`, `bcrypt$$2b$…`, `scrypt$<salt>$<N>$<r>$<p>$<tag>`; `!…` is none. */
function toDjangoHash(hash: unknown): unknown {
  if (typeof hash !== "string") return hash;
  if (hash.startsWith("!")) return undefined;
  const [algorithm = "", ...parts] = hash.split("$");
  if (algorithm === "argon2") return `$${parts.join("$")}`;
  if (algorithm === "bcrypt") return hash.slice("bcrypt$".length);
  if (/^pbkdf2_sha(256|512)$/.test(algorithm)) {
    const [rounds, salt = "", tag] = parts;
    return `$${algorithm.replace("_", "-")}$i=${rounds}$${ofBytes(Buffer.from(salt))}$${unpadded(tag)}`;
  }
  if (algorithm === "scrypt") {
    const [salt = "", cost, blockSize, parallelism, tag] = parts;
    const ln = Math.log2(Number(cost));
    return `$scrypt$ln=${ln},r=${blockSize},p=${parallelism}$${ofBytes(Buffer.from(salt))}$${unpadded(tag)}`;
  }
  return hash;
}

function parse(text: unknown): Value {
  try {
    return asRecord(JSON.parse(String(text)));
  } catch {
    return {};
  }
}
