import { expect, test } from "@jest/globals";
import { parseBearer } from "./bearer.ts";

test("H18 a token is read from a header in any case and with blanks; no header is none", () => {
  expect(parseBearer(undefined)).toEqual({ is: "none" });
  for (const header of ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "Bearer   a.b.c", " Bearer a.b.c "])
    expect([header, parseBearer(header)]).toEqual([header, { is: "bearer", token: "a.b.c" }]);
});

test.each([
  ["", "Bearer", "Bearer ", "a.b.c"],
  ["Basic dXNlcjpwYXNz", "DPoP a.b.c", "Bearera.b.c", "Bearer\ta.b.c"],
  ["\u00a0Bearer a.b.c", "Bearer a.b.c\u2000", "Bearer\u2000a.b.c", "\ufeffBearer a.b.c"],
  ["Bearer a.b.c d.e.f", "Bearer a.b.c, Bearer d.e.f", "Bearer a.b.c,Basic x y", "Bearer\na.b.c"],
])("H18 malformed, not absent: %j, %j, %j, %j", (...headers) => {
  for (const header of headers) expect(parseBearer(header)).toEqual({ is: "malformed" });
});

test("H19 a header of a megabyte of blanks is malformed too", () => {
  expect(parseBearer(`Bearer ${" ".repeat(1_000_000)}`)).toEqual({ is: "malformed" });
  expect(parseBearer(`Bearer ${" ".repeat(1_000_000)}a b`)).toEqual({ is: "malformed" });
});
