import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { HOTP, Secret, URI } from "otpauth";
import {
  createFactorName,
  createFactorSecrets,
  createTotpUri,
  findMadeAt,
  formatRecoveryCode,
  isSameCode,
  listSteps,
  toBase32,
} from "./second-factor.ts";

const now = 1_800_000_000;
const toSecret = (bytes: Uint8Array) => new Secret({ buffer: Uint8Array.from(bytes).buffer });
const hash = async (text: string, at?: number) =>
  Buffer.from(`${text}:${at}`.padEnd(32, ".").slice(0, 32)).toString("base64url");
const secrets = createFactorSecrets({ hash });

test("the name of a factor says when it was made, and is random besides", () => {
  const [name, other] = [createFactorName(now), createFactorName(now)];
  expect([findMadeAt(name), name === other]).toEqual([now, false]);
});

test.each([
  "",
  "x",
  `${now}`,
  `${now}.`,
  `${now}.${"a".repeat(21)}`,
  `${now}.${"a".repeat(22)}`,
  `1.${"A".repeat(22)}`,
])("O16 %j is no name of a factor", (name) => expect(findMadeAt(name)).toBeUndefined());

// RFC 6238, appendix B, for SHA-1; an app shows the last six of the eight digits.
const rfc = Buffer.from("12345678901234567890");
test.each([
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
])("the code at %d is %s", (time, code) => {
  const step = Math.floor(time / 30);
  expect(listSteps(rfc, code, time)).toEqual([step]);
});

test("O06 codes of two steps ago and of two ahead are not right", () => {
  const step = Math.floor(now / 30);
  const isRight = (ahead: number) =>
    listSteps(rfc, HOTP.generate({ secret: toSecret(rfc), counter: step + ahead }), now).length > 0;
  expect([-2, -1, 0, 1, 2].map(isRight)).toEqual([false, true, true, true, false]);
});

test("O07 the same digits of two neighbouring steps are right for both", () => {
  // Found by trying.
  const step = 910_737;
  expect(listSteps(rfc, "911617", step * 30)).toEqual([step, step + 1]);
});

test("secrets follow from the user, the name, and the key of the time in it; recovery codes from their place, too", async () => {
  const name = createFactorName(now);
  const texts: [string, number | undefined][] = [];
  const noting = createFactorSecrets({
    hash: async (text, at) => hash(`${texts.push([text, at])}`.repeat(32)),
  });
  const secret = await noting.deriveTotp("user", name);
  const codes = await noting.deriveRecoveryCodes("user", name);
  expect(texts).toEqual([
    [`totp:user:${name}`, now],
    ...Array.from({ length: 10 }, (_, place) => [`recovery:user:${name}:${place}`, now]),
  ]);
  expect(toBase32(secret)).toMatch(/^[A-Z2-7]{32}$/);
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(/^[a-z2-7]{16}$/);
  expect(formatRecoveryCode("abcdefghijklmnop")).toBe("abcd-efgh-ijkl-mnop");
});

test("codes are the same or not, whatever their length", () => {
  expect([
    isSameCode("123456", "123456"),
    isSameCode("123456", "123457"),
    isSameCode("123456", "12345"),
  ]).toEqual([...[true, false, false]]);
});

test("O23 an app reads the name of the service and the address as they are", async () => {
  const secret = await secrets.deriveTotp("user", createFactorName(now));
  const uri = createTotpUri(secret, { issuer: "A & B: C", email: "ada+1@example.com" });
  expect(URI.parse(uri)).toMatchObject({
    issuer: "A & B C",
    label: "ada+1@example.com",
    digits: 6,
    period: 30,
  });
  expect(URI.parse(uri).secret.base32).toBe(toBase32(secret));
  expect(uri).not.toContain("+");
});

test("codes and base32 are those of another implementation", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.integer({ min: 1, max: 2 ** 40 }),
      (bytes, step) => {
        const secret = toSecret(bytes);
        expect(listSteps(Buffer.from(bytes), HOTP.generate({ secret, counter: step }), step * 30)).toContain(
          step,
        );
        expect(toBase32(Buffer.from(bytes))).toBe(secret.base32);
      },
    ),
  );
});
