import { createSecretKey, type KeyObject } from "node:crypto";
import type { JWK } from "jose";
import { findLifeFaults, type KeyLife, parseKeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";

/** A key that nothing is signed with: it makes keyed hashes (HMAC with SHA-256, RFC 7518, section 3.2). */
export interface HashJwk extends JWK, KeyLife {
  kid: string;
  kty: "oct";
  alg: "HS256";
  /** At least 32 bytes, base64url. */
  k: string;
}

/** A key ready for hashing. Times are epoch seconds. */
export interface HashKey {
  key: KeyObject;
  activeFrom: number;
  /** What it has made is not recognised after this. */
  retireAfter: number;
}

/** Where the functions that count attempts, recognise browsers or name sessions in the log get their keys from. */
export type HashKeys = KeySource<HashKey>;

/** Parses a JWK set of hash keys. Throws TypeError that lists everything wrong with it. */
export function parseHashKeySet(text: string): HashJwk[] {
  return parseKeySet(text, findFaults, ["k"], findLifeFaults) as HashJwk[];
}

function findFaults({ kty, alg, k }: JWK): string[] {
  const isLong = typeof k === "string" && /^[\w-]{43,}$/.test(k);
  return [
    ...(kty === "oct" && alg === "HS256" ? [] : ["must have kty oct and alg HS256"]),
    ...(isLong ? [] : ["k must be 32 bytes or more, in base64url"]),
  ];
}

/** Imports the hash keys that have been promoted. */
export function importHashKeys(jwks: HashJwk[]): HashKey[] {
  return jwks.flatMap(({ k, activeFrom, retireAfter = Number.POSITIVE_INFINITY }) => {
    if (activeFrom === undefined) return [];
    return [{ key: createSecretKey(Buffer.from(k, "base64url")), activeFrom, retireAfter }];
  });
}
