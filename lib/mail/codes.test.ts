import { describe, expect, test } from "@jest/globals";
import { createHashKey } from "../../tests/support/keys.ts";
import { importHashKeys } from "../tokens/hash-keys.ts";
import { createKeyedHash } from "../tokens/keyed-hash.ts";
import { codeBegins, createChallenges, createCodes, createMailId, formatCode, parseCode } from "./codes.ts";
import { type CodeKind, codeKinds } from "./kinds.ts";

const ada = { kind: "reset", email: "ada@example.com" } as const;

const now = 1_800_000_000;
const [old, current] = [createHashKey({ activeFrom: now - 9 }), createHashKey({ activeFrom: now })];
const keyedHashOf = (...keys: (typeof old)[]) => {
  const imported = importHashKeys(keys);
  return createKeyedHash({
    hashKeys: { ready: async () => {}, get: async () => imported },
    clock: () => now,
  });
};
const codes = createCodes(keyedHashOf(old, current));
const challenges = createChallenges(keyedHashOf(old, current));
const kinds = Object.keys(codeKinds) as CodeKind[];

describe("V06 a code as it is typed", () => {
  test.each([
    ...["K4MXQ2T9W", "k4m xq2 t9w", "K4M-XQ2-T9W", " k4mxq2t9w\n", "K4M–XQ2—T9W", "Ｋ４Ｍ－ＸＱ２－Ｔ９Ｗ"],
    "K 4 M X Q 2 T 9 W",
  ])("%j is read", (typed) => {
    expect(parseCode(typed)).toBe("K4MXQ2T9W");
  });

  test("look-alikes are read as what they look like", () => {
    expect(parseCode("oOiIlL000")).toBe("001111000");
  });

  test.each([
    ...["", "K4MXQ2T9", "K4MXQ2T9W0", "K4MXQ2T9U", "K4MXQ2T9ß", "K4MXQ2T9😀", "K4M_XQ2_T9W"],
    ...["K4MXQ2T9W".padEnd(65), "K".repeat(1_000_000)],
  ])("%.20j is none", (typed) => {
    expect(parseCode(typed)).toBeUndefined();
  });
});

test("a code is nine characters that nobody mistakes, the first of them public", async () => {
  const id = Buffer.from("98765432100123456789abcdefabcdef", "hex").toString("base64url");
  expect(codeBegins(id)).toBe("K");
  const code = await codes.derive({ kind: "reset", id, createdAt: now });
  expect(code).toMatch(/^K[0-9A-HJKMNP-TV-Z]{8}$/);
  expect(parseCode(formatCode(code))).toBe(code);
  expect(formatCode("K4MXQ2T9W")).toBe("K4M-XQ2-T9W");
});

test("all of 40 bits are in a code: none of its characters follows from the others", async () => {
  const made = await Promise.all(
    Array.from({ length: 2_000 }, () =>
      codes.derive({ kind: "reset", id: createMailId(ada), createdAt: now }),
    ),
  );
  // Each of 32 characters stands at each place some 62 times.
  for (let place = 0; place < 9; place++) expect(new Set(made.map((code) => code[place])).size).toBe(32);
  expect(new Set(made.map((code) => code.slice(1))).size).toBe(2_000);
});

test("V16 a code is made with the key of its time, and right under every key that verifies", async () => {
  const id = createMailId(ada);
  const [before, after] = [now - 1, now].map((createdAt) => codes.derive({ kind: "reset", id, createdAt }));
  expect(await before).not.toBe(await after);
  for (const code of [before, after]) expect(await codes.isRight("reset", id, await (code ?? ""))).toBe(true);
  const without = createCodes(keyedHashOf(current));
  expect(await without.isRight("reset", id, (await before) ?? "")).toBe(false);
  // The old key is gone, since it leaked: a mail that goes out now has a code that counts.
  expect(await without.derive({ kind: "reset", id, createdAt: now - 1 })).toBe(await after);
});

test("V13 a code and a challenge of one kind are nothing to any other", async () => {
  const id = createMailId(ada);
  for (const kind of kinds) {
    const code = await codes.derive({ kind, id, createdAt: now });
    const challenge = await challenges.issue(kind, id);
    for (const other of kinds) {
      expect(await codes.isRight(other, id, code)).toBe(kind === other);
      expect(await challenges.open(other, challenge)).toBe(kind === other ? id : undefined);
    }
  }
});

test("V09 a challenge opens only as it was made", async () => {
  const challenge = await challenges.issue("reset", createMailId(ada));
  expect(challenge).toMatch(/^[\w-]{22}\.[\w-]{22}$/);
  const [id = "", seal = ""] = challenge.split(".");
  for (const forged of [
    ...[
      `${createMailId(ada)}.${seal}`,
      `${id}.${"A".repeat(22)}`,
      `${id}${seal}`,
      `${challenge}A`,
      ` ${challenge}`,
    ],
    ...[
      `${challenge}\n`,
      "",
      ".",
      "x".repeat(1_000_000),
      await codes.deriveToken({ kind: "undo", id, createdAt: now }),
    ],
  ])
    expect(await challenges.open("reset", forged)).toBeUndefined();
});

test("a token opens under every key that verifies, and nothing else does", async () => {
  const id = createMailId(ada);
  const token = await codes.deriveToken({ kind: "undo", id, createdAt: now - 1 });
  expect(token).toMatch(/^[\w-]{22}\.[\w-]{22}$/);
  expect(await codes.openToken("undo", token)).toBe(id);
  expect(await codes.openToken("undo", await challenges.issue("reset", id))).toBeUndefined();
  expect(await createCodes(keyedHashOf(current)).openToken("undo", token)).toBeUndefined();
});
