import { expect, test } from "@jest/globals";
import type { AppError } from "../errors.ts";
import { createCrossSiteRule } from "./cross-site.ts";
import { parseEvent } from "./event.ts";

const assertSameSite = createCrossSiteRule({
  issuer: "https://auth.example.com/v1",
  allowedOrigins: ["https://app.example.com", "http://localhost:5173"],
});

/** The code of the refusal, or "passed", of a request that says so; reading its cookies comes to the same. */
function check(headers: Record<string, string>, domainName?: string, method = "POST"): string {
  const { event, credentials } = parseEvent(
    { headers, requestContext: { domainName, http: { method } } },
    assertSameSite,
  );
  const answers = [() => assertSameSite(event), () => credentials.cookies].map((read) => {
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

test.each([
  ["H05 neither header: not a browser", {}],
  ["H03 same-origin", { "sec-fetch-site": "same-origin" }],
  ["H06 same-origin, whatever the origin", { "sec-fetch-site": "same-origin", origin: "https://x.example" }],
  ["H03 typed by the user", { "sec-fetch-site": "none" }],
  ["cross-site from a listed origin", { "sec-fetch-site": "cross-site", origin: "https://app.example.com" }],
  ["same-site from a listed origin", { "sec-fetch-site": "same-site", origin: "http://localhost:5173" }],
  ["H04 a listed origin of an old browser", { origin: "https://app.example.com" }],
  ["the issuer's own origin", { origin: "https://auth.example.com" }],
  ["the gateway's own name", { origin: "https://abc.execute-api.example.com" }],
  ["header names in any case", { "Sec-Fetch-Site": "same-origin" }],
] as [string, Record<string, string>][])("passes: %s", (_, headers) => {
  expect(check(headers, "abc.execute-api.example.com")).toBe("passed");
});

test.each([
  ["H01 H09 cross-site", { "sec-fetch-site": "cross-site" }],
  ["cross-site from another origin", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
  ["same-site from another origin", { "sec-fetch-site": "same-site", origin: "https://blog.example.com" }],
  ["H02 same-site without an origin", { "sec-fetch-site": "same-site" }],
  ["cross-site from our own origin", { "sec-fetch-site": "cross-site", origin: "https://auth.example.com" }],
  ["H07 an unknown word", { "sec-fetch-site": "friend" }],
  ["an empty word", { "sec-fetch-site": "" }],
  ["another case", { "sec-fetch-site": "Same-Origin" }],
  ["another origin", { origin: "https://evil.example" }],
  ["H04 null", { origin: "null" }],
  ["empty", { origin: "" }],
  ["a listed origin with another port", { origin: "https://app.example.com:8443" }],
  ["a listed origin with another scheme", { origin: "http://app.example.com" }],
  ["a listed origin with more behind it", { origin: "https://app.example.com.evil.example" }],
  ["a listed origin in upper case", { origin: "https://APP.example.com" }],
  ["a subdomain of a listed origin", { origin: "https://x.app.example.com" }],
  ["the gateway's name without TLS", { origin: "http://abc.execute-api.example.com" }],
  ["two origins", { origin: "https://app.example.com https://evil.example" }],
  ["E02 two origins joined by a comma", { origin: "https://app.example.com, https://app.example.com" }],
] as [string, Record<string, string>][])("is refused: %s", (_, headers) => {
  expect(check(headers, "abc.execute-api.example.com")).toBe("cross_site_request");
});

test("without a gateway name only the issuer's origin is one's own", () => {
  expect(check({ origin: "https://undefined" })).toBe("cross_site_request");
  expect(check({ origin: "https://auth.example.com" })).toBe("passed");
});

test("what changes nothing may come from anywhere; a method that is not known may change something", () => {
  const headers = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
  for (const method of ["GET", "HEAD", "OPTIONS"]) expect(check(headers, undefined, method)).toBe("passed");
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "get", ""])
    expect(check(headers, undefined, method)).toBe("cross_site_request");
});
