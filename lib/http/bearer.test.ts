import { expect, test } from "@jest/globals";
import { parseBearer } from "./bearer.ts";

test("H18 a token is read from a header in any case and with blanks", () => {
  for (const header of ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "Bearer   a.b.c", " Bearer a.b.c "])
    expect([header, parseBearer(header)]).toEqual([header, { is: "bearer", token: "a.b.c" }]);
});

test.each([
  [undefined, "", " ", "Basic dXNlcjpwYXNz", "basic dXNlcjpwYXNz, Bearer a.b.c", "Negotiate"],
  ["DPoP a.b.c", "a.b.c", "Bearera.b.c", "Bearer-Token a.b.c", "\u00a0Bearer a.b.c", "\ufeffBearer a.b.c"],
])("H18 no header is none, and so is another scheme: %j, %j, %j, %j, %j, %j", (...headers) => {
  for (const header of headers) expect([header, parseBearer(header)]).toEqual([header, { is: "none" }]);
});

test.each([
  ["Bearer", " bearer ", "Bearer\ta.b.c", "Bearer=a.b.c"],
  ["Bearer a.b.c\u2000", "Bearer\u2000a.b.c", "Bearer\u00a0a.b.c", "Bearer\ufeffa.b.c"],
  ["Bearer a.b.c d.e.f", "Bearer a.b.c, Bearer d.e.f", "Bearer a.b.c,Basic x y", "Bearer\na.b.c"],
])("H18 malformed, not absent: %j, %j, %j, %j", (...headers) => {
  for (const header of headers) expect(parseBearer(header)).toEqual({ is: "malformed" });
});

test("H19 a header of a megabyte of blanks is malformed too", () => {
  expect(parseBearer(`Bearer ${" ".repeat(1_000_000)}`)).toEqual({ is: "malformed" });
  expect(parseBearer(`Bearer ${" ".repeat(1_000_000)}a b`)).toEqual({ is: "malformed" });
});
