import { expect, test } from "@jest/globals";
import { expectProblem, refusals } from "./support/answer.ts";
import { clock } from "./support/clock.ts";
import { createForgery, header, ours } from "./support/forgery.ts";
import { cookieOf } from "./support/pair.ts";
import { startService } from "./support/service.ts";
import { buildToken, foreignSigner } from "./support/token.ts";

const service = await startService();
const { sandbox, expectRequests } = service;
const { pair, withClaims, expectRefusedEverywhere } = await createForgery(service);
const { claims, refreshToken } = pair;
const theirs = foreignSigner("EdDSA");

const at = (seconds: number) => clock.now + seconds;
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test("J01 an expired token is refused on /movies and refreshes", async () => {
  const { cookies } = await service.logIn();
  clock.advance(906);
  await expectRequests([], async () => {
    expectProblem(await sandbox.movies({ cookies }), refusals.invalidToken);
    expectProblem(await sandbox.me({ cookies }), refusals.invalidToken);
  });
  expect((await sandbox.refresh({ cookies })).statusCode).toBe(200);
});

test("J30 T12 exp is taken with 5 s of skew", async () => {
  const expired = (seconds: number) => withClaims({ iat: at(-600), exp: at(-seconds) });
  for (const seconds of [0, 4]) expect((await sandbox.movies(bearer(expired(seconds)))).statusCode).toBe(200);
  for (const seconds of [5, 6]) {
    expectProblem(await sandbox.movies(bearer(expired(seconds))), refusals.invalidToken);
  }
});

test("J28 J29 T07 iat and nbf are taken with 5 s of skew", async () => {
  for (const name of ["iat", "nbf"]) {
    const token = (seconds: number) => withClaims({ iat: at(0), exp: at(600), [name]: at(seconds) });
    expect((await sandbox.movies(bearer(token(5)))).statusCode).toBe(200);
    await expectRefusedEverywhere(token(6));
  }
});

test("J26 J29 R33 expiry is the only defect that refresh forgives", async () => {
  const expired = { iat: at(-2_000), exp: at(-1_100) };
  const defects = [
    { iss: "https://evil.example" },
    { aud: "web" },
    { sub: 1 },
    { sid: undefined },
    { jti: null },
    { auth_time: "x" },
    { email: undefined },
    { iat: undefined },
    { iat: at(3_600) },
    { nbf: at(3_600) },
    { nbf: "x" },
    { exp: 0 },
    { exp: -1 },
    { exp: 1.5 },
    { iat: at(-100_000) },
  ];
  for (const defect of defects) await expectRefusedEverywhere(withClaims({ ...expired, ...defect }));
  await expectRefusedEverywhere(buildToken({ ...header, typ: "JWT" }, { ...claims, ...expired }, ours));
  await expectRefusedEverywhere(buildToken(header, { ...claims, ...expired }, theirs));
  const token = withClaims(expired);
  const bits = Buffer.from(token.slice(-86), "base64url");
  bits[5] = (bits[5] ?? 0) ^ 1;
  await expectRefusedEverywhere(token.slice(0, -86) + bits.toString("base64url"));
});

test("J27 protected routes take no longer life than is configured, refresh up to a day", async () => {
  const lived = (seconds: number) => withClaims({ iat: at(0), exp: at(seconds) });
  const cookies = (token: string) => [cookieOf({ token, refreshToken })];
  expect((await sandbox.movies({ cookies: cookies(lived(900)) })).statusCode).toBe(200);
  for (const seconds of [901, 86_400]) {
    const token = lived(seconds);
    expectProblem(await sandbox.movies({ cookies: cookies(token) }), refusals.invalidToken);
    expectProblem(
      await sandbox.refresh({ cookies: [cookieOf({ token, refreshToken: "x" })] }),
      refusals.invalidRefreshToken,
    );
  }
  await expectRefusedEverywhere(lived(86_401));
});
