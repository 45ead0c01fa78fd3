import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { AppError } from "../../lib/errors.ts";
import { clientMode } from "../../lib/http/client-mode.ts";
import { type ApiEvent, parseEvent } from "../../lib/http/event.ts";
import { jsonBody } from "../../lib/http/json-body.ts";
import {
  createChangePasswordBody,
  createRegisterBody,
  loginBody,
  parseBody,
  passwordBody,
} from "../../lib/http/schemas.ts";
import { times } from "../support/randomness.ts";
import { anyJson, anyText, anything, deepJson, mutated } from "./hostile.ts";
import { watch } from "./oracle.ts";

const email = "ada@example.com";
const password = "correct horse battery";
const schemas = {
  login: loginBody,
  password: passwordBody,
  register: createRegisterBody({ passwordMinLength: 15 }),
  change: createChangePasswordBody({ passwordMinLength: 15 }),
};
const sound: Record<string, object> = {
  ...{ login: { email, password }, password: { password }, register: { email, password } },
  change: { currentPassword: password, newPassword: `${password}!` },
};
const pair = { token: "header.claims.signature", refreshToken: "A".repeat(43) };

/** Texts of a body: sound, damaged, of any JSON, of nothing at all. */
function bodyOf(object: object): fc.Arbitrary<string> {
  const field = fc.oneof(anyJson, fc.constantFrom(...Object.values(object)));
  const names = [...Object.keys(object), "extra", "__proto__", "constructor", "toString"];
  const like = fc
    .dictionary(fc.constantFrom(...names), field, { maxKeys: 4 })
    .map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 4, arbitrary: mutated(fc.constant(JSON.stringify(object))) },
    { weight: 4, arbitrary: like },
    { weight: 1, arbitrary: fc.constant(JSON.stringify(object)) },
    {
      weight: 2,
      arbitrary: fc.oneof(
        anyText,
        anyJson.map((value) => JSON.stringify(value)),
      ),
    },
    { weight: 1, arbitrary: deepJson },
  );
}

const contentType = fc.oneof({ weight: 9, arbitrary: fc.constant("application/json") }, anyText);

/** Reads a body as the routes do; undefined if it is refused. */
function read(text: unknown, isBase64Encoded: boolean, type: string): ApiEvent | undefined {
  const body = isBase64Encoded && typeof text === "string" ? Buffer.from(text).toString("base64") : text;
  const { event } = parseEvent({
    headers: { "content-type": type, "auth-mode": "bearer" },
    body,
    isBase64Encoded,
  });
  return refused(() => {
    jsonBody().before({ event, credentials: { cookies: [], authorization: undefined } });
    return event;
  });
}

function refused<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(["invalid_body", "body_too_large", "unsupported_media_type"]).toContain(error.code);
    // What a client sent does not come back.
    expect(error.cause).toBeUndefined();
    return undefined;
  }
}

test.each(Object.keys(schemas) as (keyof typeof schemas)[])("the body of %s", (name) => {
  const members = Object.keys(sound[name] ?? {});
  fc.assert(
    fc.property(bodyOf(sound[name] ?? {}), fc.boolean(), contentType, (text, isBase64, type) => {
      const event = watch(() => read(text, isBase64, type));
      if (!event) return;
      const parsed = watch(() => refused(() => parseBody(schemas[name] as typeof loginBody, event.body)));
      if (parsed)
        expect([Object.keys(parsed), Object.getPrototypeOf(parsed)]).toEqual([members, Object.prototype]);
    }),
    times(12_500),
  );
});

test("the pair in the body of a bearer client", () => {
  fc.assert(
    fc.property(bodyOf(pair), contentType, (text, type) => {
      const event = watch(() => read(text, false, type));
      if (!event) return;
      watch(() =>
        clientMode({ cookieName: "auth-cookie" }).before({
          event,
          credentials: { cookies: [], authorization: undefined },
        }),
      );
      const { presented } = event as unknown as {
        presented: { is: string; token: unknown; refreshToken: unknown };
      };
      if (presented.is === "pair")
        expect([typeof presented.token, typeof presented.refreshToken]).toEqual(["string", "string"]);
    }),
    times(12_500),
  );
});

test("a body that is no text", () => {
  fc.assert(
    fc.property(anything, fc.boolean(), contentType, (body, isBase64, type) => {
      watch(() => read(body, isBase64, type));
    }),
    times(12_500),
  );
});

test("the event itself, whatever Lambda is invoked with", () => {
  const headers = fc.oneof(
    anything,
    fc.dictionary(
      fc.oneof(fc.constantFrom("Cookie", "AUTHORIZATION", "__proto__"), anyText),
      fc.oneof(anyText, anything),
    ),
  );
  const event = fc.record(
    {
      ...{ headers, cookies: fc.oneof(fc.array(fc.oneof(anyText, anything)), anything), body: anything },
      ...{
        requestContext: fc.oneof(anything, fc.record({ http: anything, domainName: anything })),
        rawPath: anything,
      },
      ...{ pathParameters: anything, queryStringParameters: anything, isBase64Encoded: anything },
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: event as fc.Arbitrary<unknown> }, anything), (input) => {
      const { event, credentials } = watch(() => parseEvent(input));
      const texts = [...Object.values(event.headers), ...credentials.cookies, event.rawPath, event.method];
      if (!texts.every((text) => typeof text === "string")) expect(texts).toEqual([]);
      expect(
        Object.keys(event.headers).filter((name) => name === "cookie" || name === "authorization"),
      ).toEqual([]);
    }),
    times(50_000),
  );
});
