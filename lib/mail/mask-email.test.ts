import { expect, test } from "@jest/globals";
import { maskEmail } from "./mask-email.ts";

test.each([
  ["ada@example.com", "a•••@e•••.com"],
  ["a@b.de", "a•••@b•••.de"],
  ["ada.lovelace+work@mail.example.co.uk", "a•••@m•••.uk"],
  ["ada@xn--bcher-kva.example", "a•••@x•••.example"],
  ["𝒶da@example.com", "𝒶•••@e•••.com"],
])("%s is shown as %s", (email, masked) => {
  expect(maskEmail(email)).toBe(masked);
});
