import { expect, test } from "@jest/globals";
import { createFindClientIp, parseIp } from "./client-ip.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["192.0.2.7:46532", "192.0.2.7"],
  ["2001:db8::7", "2001:db8::7"],
  ["2001:DB8:0:0:0:0:0:7", "2001:DB8:0:0:0:0:0:7"],
  ["2001:db8::7:46532", "2001:db8::7"],
  ["2001:db8:1:2:3:4:5:7:443", "2001:db8:1:2:3:4:5:7"],
  ["[2001:db8::7]", "2001:db8::7"],
  ["[2001:db8::7]:443", "2001:db8::7"],
  ["::ffff:192.0.2.7", "::ffff:192.0.2.7"],
  ["[::ffff:192.0.2.7]:65535", "::ffff:192.0.2.7"],
])("%s is the address %s", (text, address) => {
  expect(parseIp(text)).toBe(address);
});

test("what always has a port has one, also where the whole is an address", () => {
  expect(parseIp("2001:db8::a:b:c:d:1234", true)).toBe("2001:db8::a:b:c:d");
  expect(parseIp("2001:db8::a:b:c:d:1234")).toBe("2001:db8::a:b:c:d:1234");
  expect(parseIp("192.0.2.7", true)).toBe("192.0.2.7");
});

test.each([
  [undefined, "", " ", "unknown", "localhost", "example.com:443"],
  ["192.0.2.7, 192.0.2.8", "192.0.2.7,192.0.2.8:1", "192.0.2.7 ", " 192.0.2.7", "192.0.2.7\n"],
  ["192.0.2", "192.0.2.256", "192.0.2.07", "0xc0.0.2.7", "3221225991", "192.0.2.7/32"],
  ["192.0.2.7:", "192.0.2.7:http", "192.0.2.7:65536", "192.0.2.7:443:443", "[192.0.2.7]:443"],
  ["[2001:db8::7", "2001:db8::7]", "[2001:db8::7]:", "[2001:db8::7]:65536", "[[2001:db8::7]]"],
  ["fe80::1%eth0", "[fe80::1%eth0]:443", "fe80::1%eth0:443", "for=192.0.2.7", "1".repeat(100_000)],
])("no address is %j, %j, %j, %j, %.20j, %.20j", (...texts) => {
  for (const text of texts) expect(parseIp(text)).toBeUndefined();
});

const [secret, next] = ["s".repeat(32), "t".repeat(32)] as [string, string];
const trustedProxyHeader = "x-client-address";
const find = createFindClientIp({ trustedProxySecret: [secret, next], trustedProxyHeader });
const sourceIp = "203.0.113.9";
const headers = {
  ...{ "x-client-address": "192.0.2.7:443", "cloudfront-viewer-address": "192.0.2.8:443" },
  ...{ "x-forwarded-for": "192.0.2.9", "x-real-ip": "192.0.2.9" },
};

test("whoever knows a secret names the client in one header", () => {
  for (const proxySecret of [secret, next])
    expect(find({ proxySecret, headers, sourceIp })).toBe("192.0.2.7");
});

test.each([
  ["no secret", undefined, headers],
  ["an empty secret", "", headers],
  ["another secret", "u".repeat(32), headers],
  ["part of a secret", secret.slice(1), headers],
  ["both secrets", `${secret},${next}`, headers],
  ["no address in the header", secret, { ...headers, "x-client-address": "192.0.2.7, 192.0.2.8" }],
  ["no such header", secret, { "x-forwarded-for": "192.0.2.9" }],
])("the gateway's address counts with %s", (_, proxySecret, headers: Record<string, string>) => {
  expect(find({ proxySecret, headers, sourceIp })).toBe(sourceIp);
});

test("without a setting no secret is right", () => {
  const none = createFindClientIp({ trustedProxySecret: [], trustedProxyHeader });
  for (const proxySecret of [undefined, "", secret])
    expect(none({ proxySecret, headers, sourceIp })).toBe(sourceIp);
});
