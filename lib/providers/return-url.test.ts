import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createReturnUrl } from "./return-url.ts";

const page = "https://app.example.com/signed-in/apple?from=apple";
const names = fc.constantFrom("code", "state", "iss", "error", "user", "from", "id_token", "__proto__");
const values = fc.oneof(
  fc.string(),
  fc.webUrl(),
  fc.constantFrom("//evil.example", "\r\nset-cookie: a=b", "é"),
);

test("X50 whatever a form says, the browser goes to the page, with no more than what that needs", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(names, values)), (fields) => {
      const url = createReturnUrl(page, new URLSearchParams(fields));
      expect(url).toMatch(/^https:\/\/app\.example\.com\/signed-in\/apple\?from=apple[\x21-\x7e]*$/);
      const { from, ...passed } = Object.fromEntries(new URL(url).searchParams);
      expect(from).toBe("apple");
      for (const [name, value] of Object.entries(passed)) {
        expect(["code", "state", "iss", "error"]).toContain(name);
        expect(fields.filter(([each]) => each === name)).toEqual([[name, value]]);
      }
    }),
  );
});

test("X50 what is longer than the gateway sends is left out", () => {
  const form = new URLSearchParams({ code: "%".repeat(4_000), state: "s" });
  expect(createReturnUrl(page, form)).toBe(`${page}&state=s`);
});
