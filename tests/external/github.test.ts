import { expect, test } from "@jest/globals";
import { expectProblem } from "../support/answer.ts";
import { createSignIns } from "../support/external.ts";
import { type Answer, startOddProvider } from "../support/odd-provider.ts";
import { pairOf } from "../support/pair.ts";
import { startService } from "../support/service.ts";

// A provider that issues no ID tokens: its API says who has signed in.

const service = await startService();
const odd = await startOddProvider();
const { jwksUri: _, ...endpoints } = odd.endpoints;
const sandbox = service.createSandbox({
  IDENTITY_PROVIDERS: JSON.stringify([
    {
      id: "github",
      clientId: "web",
      redirectUris: ["https://app.example.com/github"],
      ...endpoints,
      apiUrl: `${odd.issuer}/api`,
    },
  ]),
  PROVIDER_KEYS: JSON.stringify({ github: { clientSecret: "a-client-secret-of-github" } }),
});
const { begin, finish } = createSignIns(sandbox, "github");
const refused = { status: 400, code: "sign_in_refused", detail: "The sign-in was refused. Begin again." };
const notVerified = {
  ...{ status: 403, code: "email_not_verified" },
  detail: "The provider does not say that the e-mail address is yours. Have it verified there, or register.",
};
const away = {
  ...{ status: 503, code: "provider_unavailable", headers: { "retry-after": "2" } },
  detail: "The provider does not answer. Try again in a moment.",
};

const address = (email: string, more: object = {}) => ({ email, primary: true, verified: true, ...more });

async function signIn(user: Answer, emails: Answer | unknown[], iss?: string) {
  const begun = await begin();
  odd.answer("/token", { body: { access_token: "gho_token", token_type: "bearer", scope: "user:email" } });
  odd.answer("/api/user", user);
  odd.answer("/api/user/emails", Array.isArray(emails) ? { body: emails } : emails);
  return finish(begun, { code: "a code", ...(iss !== undefined && { iss }) });
}

test("X37 the number of the account is who it is, and its name is not; it names itself in the return, or does not", async () => {
  const emails = [address("other@example.com", { primary: false }), address("Octo@example.com")];
  const first = await signIn({ body: { id: 7, login: "octo" } }, emails, odd.issuer);
  expect(pairOf(first).claims.email).toBe("octo@example.com");
  const again = await signIn({ body: { id: 7, login: "renamed" } }, []);
  expect(pairOf(again).claims.sub).toBe(pairOf(first).claims.sub);
  // The name changed hands.
  const other = await signIn({ body: { id: 8, login: "octo" } }, [address("new@example.com")]);
  expect(pairOf(other).claims.sub).not.toBe(pairOf(first).claims.sub);
});

test("X37 it is asked for no nonce, and its API with the access token, which is dropped", async () => {
  const { authorizationUrl } = await begin();
  const { searchParams } = new URL(authorizationUrl);
  expect([searchParams.get("scope"), searchParams.has("nonce"), searchParams.has("code_challenge")]).toEqual([
    "user:email",
    false,
    true,
  ]);
  await signIn({ body: { id: 9 } }, [address("nine@example.com")]);
  expect(odd.paths).toEqual(["/token", "/api/user", "/api/user/emails"]);
});

test.each([403, 404])(
  "X37 addresses that it does not show (%i) are none: whoever is known signs in, and nobody else",
  async (status) => {
    const user = (id: number) => ({ body: { id: status * 100 + id } });
    const hidden = { status, body: { message: "Not Found" } };
    const known = pairOf(await signIn(user(1), [address(`known-${status}@example.com`)]));
    expect(pairOf(await signIn(user(1), hidden)).claims.sub).toBe(known.claims.sub);
    expectProblem(await signIn(user(2), hidden), notVerified);
  },
);

test.each<[number, Record<string, string>]>([
  [403, { "retry-after": "60" }],
  [403, { "x-ratelimit-remaining": "0" }],
  [429, { "retry-after": "60" }],
])("X38 its limit, %i with %j: 503, and the sign-in is good still", async (status, headers) => {
  const begun = await begin();
  odd.answer("/token", { body: { access_token: "gho_token", token_type: "bearer" } });
  odd.answer("/api/user", { status, headers, body: { message: "API rate limit exceeded" } });
  odd.answer("/api/user/emails", { body: [address("limited@example.com")] });
  expectProblem(await finish(begun, { code: "a code" }), away);
  odd.answer("/api/user", { body: { id: 200 } });
  expect((await finish(begun, { code: "a code" })).statusCode).toBe(200);
});

test.each<[string, Answer, Answer | unknown[], object]>([
  ["an account without a number", { body: { login: "octo" } }, [], refused],
  ["a number that is a text", { body: { id: "7" } }, [], refused],
  ["no user", { status: 401, body: { message: "Bad credentials" } }, [], refused],
  ["no user that it shows", { status: 404, body: { message: "Not Found" } }, [], refused],
  ["HTML", { body: "<html>", type: "text/html" }, [], away],
  ["no address", { body: { id: 101 } }, [], notVerified],
  ["no list of addresses", { body: { id: 102 } }, { body: { message: "no" } }, notVerified],
  [
    "a primary address that is not verified",
    { body: { id: 103 } },
    [address("a@example.com", { verified: false })],
    notVerified,
  ],
  [
    "a verified address that is not primary",
    { body: { id: 104 } },
    [address("a@example.com", { primary: false })],
    notVerified,
  ],
  ["addresses that are null", { body: { id: 105 } }, [null], notVerified],
  ["a Kelvin sign", { body: { id: 107 } }, [address("\u212Aelvin@example.com")], notVerified],
])("X38 its API answers %s: nobody is in", async (_, user, emails, problem) => {
  expectProblem(await signIn(user, emails), problem as typeof refused);
});

test("X38 an address at any domain is never linked by its word", async () => {
  const { email } = await service.addAccount();
  const response = await signIn({ body: { id: 106 } }, [address(email)]);
  expect(response.statusCode).toBe(409);
});
