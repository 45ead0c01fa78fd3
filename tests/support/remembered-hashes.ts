// Loaded before a test file and all that it imports: an import has the functions that stood there at that moment.

type Argon2 = typeof import("node:crypto").argon2;

const crypto = process.getBuiltinModule("node:crypto") as { argon2: Argon2 & { original?: Argon2 } };
const original = crypto.argon2.original ?? crypto.argon2;
const results = new Map<string, Buffer>();
let isOn = true;

/**
 * What was hashed with the same salt and work before in this test file is not hashed again: the same comes out, and a third of the time of
 * all tests went there.
 */
const argon2: Argon2 = (algorithm, parameters, callback) => {
  const key = JSON.stringify([algorithm, parameters]);
  const known = isOn && results.get(key);
  if (known) return void setImmediate(callback, null, Buffer.from(known));
  original(algorithm, parameters, (error, tag) => {
    if (!error) results.set(key, Buffer.from(tag));
    callback(error, tag);
  });
};
crypto.argon2 = Object.assign(argon2, { original });

/** Has everything hashed during a call. */
export async function withoutRemembered<T>(call: () => Promise<T>): Promise<T> {
  isOn = false;
  try {
    return await call();
  } finally {
    isOn = true;
  }
}
