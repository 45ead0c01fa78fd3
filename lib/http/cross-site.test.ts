import { expect, test } from "@jest/globals";
import type { AppError } from "../errors.ts";
import { createCrossSiteRule } from "./cross-site.ts";
import { parseEvent } from "./event.ts";

const assertSameSite = createCrossSiteRule({
  issuer: "https://auth.example.com/v1",
  allowedOrigins: ["https://app.example.com", "http://localhost:5173"],
});

/** The code of the refusal, or "passed", of a request that says so; reading its cookies comes to the same. */
function check(
  headers: Record<string, string>,
  domainName?: string,
  method = "POST",
  rule = assertSameSite,
): string {
  const { event, credentials } = parseEvent(
    { headers, requestContext: { domainName, http: { method } } },
    rule,
  );
  const answers = [() => rule(event), () => credentials.cookies].map((read) => {
    try {
      read();
      return "passed";
    } catch (error) {
      return (error as AppError).code;
    }
  });
  expect(new Set(answers).size).toBe(1);
  return answers[0] ?? "";
}

const [listed, local, issuer] = [
  "https://app.example.com",
  "http://localhost:5173",
  "https://auth.example.com",
];
const [gateway, evil] = ["https://abc.execute-api.example.com", "https://evil.example"];
/** No page, another port, scheme, case, domain, or more than one origin. */
const others = [
  ...[
    evil,
    "null",
    "",
    `${listed}:8443`,
    `${listed}.evil.example`,
    `${listed} ${evil}`,
    `${listed}, ${listed}`,
  ],
  ...["http://app.example.com", "https://APP.example.com", "https://x.app.example.com"],
  "http://abc.execute-api.example.com",
];

test.each<[what: string, site: string | undefined, passing: unknown[], refused: unknown[]]>([
  ["H04 H05 E02 an old browser, or none", undefined, [undefined, listed, local, issuer, gateway], others],
  ["H03 H06 the same origin, whatever it says", "same-origin", [undefined, evil], []],
  ["H03 typed by the user", "none", [undefined], []],
  ["H01 H09 another site", "cross-site", [listed], [undefined, evil, issuer]],
  ["H02 a sibling site", "same-site", [local], [undefined, "https://blog.example.com"]],
  ["H07 an unknown word", "friend", [listed], [undefined, evil]],
  ["an empty word", "", [], [undefined]],
  ["another case", "Same-Origin", [], [undefined]],
])("%s passes from our origins only", (_, site, passing, refused) => {
  const answers = (origins: unknown[]) =>
    origins.map((origin) => {
      const headers = {
        ...(site !== undefined && { "Sec-Fetch-Site": site }),
        ...(origin !== undefined && { origin }),
      };
      return [origin, check(headers as Record<string, string>, "abc.execute-api.example.com")];
    });
  expect(answers(passing)).toEqual(passing.map((origin) => [origin, "passed"]));
  expect(answers(refused)).toEqual(refused.map((origin) => [origin, "cross_site_request"]));
});

test("without a gateway name only the issuer's origin is one's own", () => {
  expect(check({ origin: "https://undefined" })).toBe("cross_site_request");
  expect(check({ origin: "https://auth.example.com" })).toBe("passed");
});

test.each<[string, object, string]>([
  ["who asks for a pair in the body", { "auth-mode": "Bearer" }, "passed"],
  ["who brings a token", { authorization: "Bearer x" }, "passed"],
  ["who asks for a cookie", {}, "cross_site_request"],
  ["who has another scheme", { authorization: "Basic x", "auth-mode": "cookie" }, "cross_site_request"],
  [
    "who has a cookie, too",
    { authorization: "Bearer x", "auth-mode": "bearer", cookie: "a=b" },
    "cross_site_request",
  ],
])("a bearer client without a cookie may have any origin; %s", (_who, headers, answer) => {
  expect(check({ "sec-fetch-site": "cross-site", origin: "capacitor://localhost", ...headers })).toBe(answer);
});

test.each([
  [
    "http://localhost:3000",
    ["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"],
    ["http://localhost", "http://127.0.0.1:3001", "https://127.0.0.1:3000", "http://127.0.0.2:3000"],
  ],
  ["http://127.0.0.1", ["http://localhost", "http://127.0.0.1"], ["http://localhost:80"]],
  ["https://localhost", ["https://localhost"], ["https://127.0.0.1", "http://localhost"]],
  ["http://localhost.example", ["http://localhost.example"], ["http://127.0.0.1", "http://localhost"]],
])("a page of %s may be opened by another name of one's own machine", (issuer, own, others) => {
  const rule = createCrossSiteRule({ issuer, allowedOrigins: [] });
  const passing = [...own, ...others].filter(
    (origin) => check({ origin }, undefined, "POST", rule) === "passed",
  );
  expect(passing).toEqual(own);
});

test("what changes nothing may come from anywhere; a method that is not known may change something", () => {
  const headers = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
  for (const method of ["GET", "HEAD", "OPTIONS"]) expect(check(headers, undefined, method)).toBe("passed");
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "get", ""])
    expect(check(headers, undefined, method)).toBe("cross_site_request");
});
