import { inspect } from "node:util";
import { expect, test } from "@jest/globals";
import type { FindClientIp } from "./client-ip.ts";
import { addHidden, parseEvent as parseEventBy } from "./event.ts";

const parseEvent = (input: unknown, findClientIp?: FindClientIp) =>
  parseEventBy(input, () => {}, findClientIp);

test("an event of the gateway (payload format 2.0) becomes an event without credentials", () => {
  const route = "/auth/refresh";
  const [body, pathParameters, queryStringParameters] = ["{}", { sessionId: "s" }, { a: "b" }];
  const client = { sourceIp: "192.0.2.1", userAgent: "curl/8" };
  const { event, credentials } = parseEvent({
    ...{ version: "2.0", routeKey: `POST ${route}`, rawPath: route, rawQueryString: "a=b" },
    cookies: ["auth-cookie=secret", "other=1"],
    headers: {
      ...{ "Content-Type": "text/plain", Authorization: "Bearer secret", "X-Forwarded-For": "1.2.3.4" },
      "X-Proxy-Secret": "secret",
    },
    ...{ body, pathParameters, queryStringParameters, isBase64Encoded: false },
    requestContext: { domainName: "api.example.com", http: { method: "POST", path: route, ...client } },
  });
  expect(event).toEqual({
    headers: { "content-type": "text/plain", "x-forwarded-for": "1.2.3.4" },
    ...{ body, isBase64Encoded: false, pathParameters, queryStringParameters, rawPath: route },
    ...{
      method: "POST",
      routeKey: `POST ${route}`,
      isBearer: false,
      domainName: "api.example.com",
      userAgent: client.userAgent,
    },
  });
  expect(credentials).toEqual({ cookies: ["auth-cookie=secret", "other=1"], authorization: "Bearer secret" });
});

test.each([
  "cookie authorization x-proxy-secret",
  "Cookie Authorization X-Proxy-Secret",
  "COOKIE AUTHORIZATION X-PROXY-SECRET",
])("E04 neither a credential nor a proxy's secret is left on the event: %s", (names) => {
  const [cookie = "", authorization = "", proxySecret = ""] = names.split(" ");
  const secrets = { [cookie]: "auth-cookie=secret", [authorization]: "Bearer secret" };
  const { event, credentials } = parseEvent({ headers: { ...secrets, [proxySecret]: "secret" } });
  expect(JSON.stringify(event)).not.toContain("secret");
  expect(credentials).toEqual({ cookies: ["auth-cookie=secret"], authorization: "Bearer secret" });
});

test.each(["Session-Key", "idempotency-key", "IDEMPOTENCY-KEY-PREVIOUS"])(
  "E04 who logs the event logs no %s; it is read by its name",
  (name) => {
    const { event } = parseEvent({ headers: { [name]: "secret", accept: "*/*" } });
    const logged = [
      JSON.stringify(event),
      inspect(event, { depth: 9 }),
      JSON.stringify({ ...event.headers }),
    ];
    for (const text of logged) expect(text).not.toContain("secret");
    expect(event.headers).toEqual({ accept: "*/*" });
    expect(event.headers[name.toLowerCase()]).toBe("secret");
  },
);

test("cookies are read from both places that engines put them", () => {
  const { credentials } = parseEvent({ cookies: ["a=1"], headers: { cookie: "b=2; c=3" } });
  expect(credentials.cookies).toEqual(["a=1", "b=2", " c=3"]);
});

test("B10 only the flag itself makes a body base64", () => {
  expect(parseEvent({ isBase64Encoded: true }).event.isBase64Encoded).toBe(true);
  expect(parseEvent({ isBase64Encoded: "true" }).event.isBase64Encoded).toBe(false);
});

test("A25 the client's address is found from what the gateway saw and a proxy proves; without that nobody learns it", () => {
  const headers = { "X-Proxy-Secret": "secret", "X-Forwarded-For": "1.2.3.4" };
  const input = { headers, requestContext: { http: { sourceIp: "192.0.2.1" } } };
  const { event } = parseEvent(input, (origin) => {
    expect(origin).toEqual({
      ...{ proxySecret: "secret", sourceIp: "192.0.2.1" },
      headers: { "x-forwarded-for": "1.2.3.4" },
    });
    return "found";
  });
  expect(event.sourceIp).toBe("found");
  expect(parseEvent(input).event.sourceIp).toBeUndefined();
});

const nulls = { headers: null, cookies: null, requestContext: null };
test.each([[undefined], [null], ["text"], [1], [[]], [{}], [nulls]])("%j is an event of nothing", (odd) => {
  expect(parseEvent(odd)).toEqual({
    event: {
      ...{ headers: {}, body: undefined, isBase64Encoded: false, rawPath: "", method: "", routeKey: "" },
      ...{ pathParameters: {}, queryStringParameters: {}, isBearer: false },
      ...{ domainName: undefined, sourceIp: undefined, userAgent: undefined, receivedAt: undefined },
    },
    credentials: { cookies: [], authorization: undefined },
  });
});

test("a header named __proto__ is a header", () => {
  const { event } = parseEvent(JSON.parse('{"headers":{"__proto__":"x"}}'));
  expect(Object.entries(event.headers)).toEqual([["__proto__", "x"]]);
  expect(Object.getPrototypeOf(event.headers)).toBe(Object.prototype);
});

test("what is hidden can be read, but neither printed nor serialised", () => {
  const target: { presented?: string } = {};
  addHidden(target, "presented", "secret");
  expect(target.presented).toBe("secret");
  expect(JSON.stringify(target) + inspect(target, { depth: 9 })).not.toContain("secret");
  expect({ ...target }).toEqual({});
});
