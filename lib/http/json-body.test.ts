import { gzipSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import { AppError } from "../errors.ts";
import { parseEvent } from "./event.ts";
import { parseJsonBody } from "./json-body.ts";

const json = "application/json";

/** The body as a handler sees it; throws the refusal. */
async function parse(body: unknown, contentType = json, isBase64Encoded: unknown = false) {
  const headers = contentType === "" ? {} : { "Content-Type": contentType };
  return parseJsonBody(parseEvent({ headers, body, isBase64Encoded }, () => {}).event);
}

async function refusalOf(...request: Parameters<typeof parse>): Promise<AppError> {
  const thrown: unknown = await parse(...request).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(AppError);
  return thrown as AppError;
}

test.each([
  ['{"a":"b"}', { a: "b" }],
  [' \n{"a":1}\t', { a: 1 }],
  ['{"a":"é😀"}', { a: "é😀" }],
  ["null", null],
  ["[1]", [1]],
])("JSON is parsed: %j; no body needs no content type", async (text, value) => {
  expect(await parse(text)).toEqual(value);
  expect(await parse(Buffer.from(text).toString("base64"), json, true)).toEqual(value);
  for (const none of [undefined, null, ""]) expect(await parse(none, "")).toBeUndefined();
});

test("B08 B09 JSON's content type may have a charset, and no other is taken", async () => {
  for (const type of [
    ...["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json "],
    ...['application/json;charset="UTF-8"', "application/json ; charset=utf-8"],
  ])
    expect([type, await parse("{}", type)]).toEqual([type, {}]);
  for (const type of [
    ...["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
    ...["application/json; charset=utf-16", "application/json; version=1", "application/vnd.api+json"],
    ...["application/jsonp", "text/plain; application/json", "text/plain, application/json"],
    ...["application/json, text/plain", "application/json;", "application/json\u00a0;charset=utf-8"],
  ])
    expect([type, (await refusalOf("{}", type)).code]).toEqual([type, "unsupported_media_type"]);
});

test("B23 a body that calls itself compressed is not read, whatever is in it; identity is no encoding", async () => {
  const parseAs = async (encoding: string, bytes: Buffer) => {
    const headers = { "content-type": json, "Content-Encoding": encoding };
    const body = bytes.toString("base64");
    return parseJsonBody(parseEvent({ headers, body, isBase64Encoded: true }, () => {}).event);
  };
  const plain = Buffer.from("{}");
  for (const identity of ["identity", " Identity\t", ""])
    expect([identity, await parseAs(identity, plain)]).toEqual([identity, {}]);
  for (const encoding of ["gzip", "br", "x", "identity, gzip", "\u00a0identity", `${" ".repeat(99_999)}x y`])
    for (const bytes of [plain, gzipSync(plain)])
      await expect(parseAs(encoding, bytes)).rejects.toMatchObject({ code: "unsupported_media_type" });
});

test.each([
  ...[
    '{"password":"hunter2',
    '{"password":"hunter2",}',
    "{'password':'hunter2'}",
    '{"password":"hunter2"}//',
  ],
  ...['{"hunter2":NaN}', '{"password":"hunter2"}{}', "  ", "\ufeff{}", '{"a":"hunter2\n"}'],
])("B03 B21 what is not JSON is refused, and nothing of it is kept: %j", async (text) => {
  const refusal = await refusalOf(text);
  const detail = "The body is not valid JSON in UTF-8, or has a forbidden name.";
  expect(refusal).toMatchObject({ code: "invalid_body", detail });
  expect(refusal.cause).toBeUndefined();
});

test.each([
  ["invalid UTF-8", Buffer.from([0x22, 0xff, 0x22])],
  ["overlong", Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ["a surrogate in UTF-8", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ["UTF-16", Buffer.from('{"a":1}', "utf16le")],
])("B04 what is not UTF-8 is refused: %s", async (_, bytes) => {
  expect((await refusalOf(bytes.toString("base64"), json, true)).code).toBe("invalid_body");
});

test.each<[what: string, bodies: unknown[], flag: unknown]>([
  ["base64 without the flag itself", ["e30="], "true"],
  ["no base64", ["{}!", "e30=e30=", "e 30", "e3"], true],
  ["no text", [{ a: 1 }, 1, true, ["{}"]], false],
])("B10 a body that is %s is refused", async (_, bodies, flag) => {
  for (const body of bodies)
    expect([body, (await refusalOf(body, json, flag)).code]).toEqual([body, "invalid_body"]);
});

test("B05 B07 B19 B20 16,384 bytes are parsed, one more is refused, whatever they are", async () => {
  const filled = (bytes: number) => `{"a":"${"x".repeat(bytes - 8)}"}`;
  expect(await parse(filled(16_384))).toHaveProperty("a");
  expect((await refusalOf(filled(16_385))).code).toBe("body_too_large");
  expect((await refusalOf("x".repeat(16_385), "text/plain")).code).toBe("body_too_large");
  const manyNames = `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":0`)}}`;
  const escapes = `"${"\\u0061".repeat(170_000)}"`;
  for (const large of ["é".repeat(8_193), "x".repeat(6_000_000), manyNames, escapes, "7".repeat(5_000_000)])
    expect((await refusalOf(large)).code).toBe("body_too_large");
  const encoded = Buffer.from(filled(16_384)).toString("base64");
  expect(await parse(encoded, json, true)).toHaveProperty("a");
});

test("B12 a name twice is refused", async () => {
  const refusal = await refusalOf('{"password":"hunter2","password":"hunter3"}');
  expect(refusal).toMatchObject({ code: "invalid_body", detail: "The body has a name twice." });
});

const prototypes = [
  '{"__proto__":{"a":1}}',
  '{"a":{"__proto__":1}}',
  '{"constructor":{"prototype":{"a":1}}}',
];
test.each(prototypes)("B11 %s is refused and changes no prototype", async (text) => {
  expect((await refusalOf(text)).code).toBe("invalid_body");
  expect({}).not.toHaveProperty("a");
});

test("B06 arrays 8,000 deep are parsed or refused, as the stack allows, and nothing worse", async () => {
  const text = `{"a":${"[".repeat(8_000)}${"]".repeat(8_000)}}`;
  const given = await parse(text).catch((error: unknown) => (error as AppError).code);
  expect(typeof given === "string" ? given : Object.keys(given as object)[0]).toMatch(/^(a|invalid_body)$/);
});
