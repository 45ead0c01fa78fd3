import { createHook } from "node:async_hooks";
import { expect } from "@jest/globals";
import { withoutRemembered } from "./remembered-hashes.ts";

let computed = 0;

// Node names every argon2 computation that it begins.
const hook = createHook({
  init(_, type) {
    if (type === "ARGON2REQUEST") computed++;
  },
});

/** Asserts how many passwords are hashed during a call, whoever asks for it. */
export async function expectHashes<T>(count: number, call: () => Promise<T>): Promise<T> {
  const before = computed;
  hook.enable();
  try {
    return await withoutRemembered(call);
  } finally {
    hook.disable();
    expect(computed - before).toBe(count);
  }
}
