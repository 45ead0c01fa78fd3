import { expect, test } from "@jest/globals";
import { otpPattern, parseOtp } from "./otp.ts";

const recovery = "abcdefghijklmnop";

test.each<[text: string, is: "totp" | "recovery" | undefined, code?: string]>([
  ["123456", "totp", "123456"],
  ["000000", "totp", "000000"],
  [" 123 456 ", "totp", "123456"],
  ["abcd-efgh-ijkl-mnop", "recovery", recovery],
  ["ABCD EFGH IJKL MNOP", "recovery", recovery],
  [recovery, "recovery", recovery],
  ["234567abcdefghij", "recovery", "234567abcdefghij"],
  ["", undefined],
  ["1234567", undefined],
  ["12345", undefined],
  ["123-456", undefined],
  ["１２３４５６", undefined],
  ["١٢٣٤٥٦", undefined],
  ["12345a", undefined],
  ["abcd-efgh-ijkl-mno1", undefined],
  ["abcd-efgh-ijkl-mnoß", undefined],
  ["abcd-efgh-ijkl-mnopq", undefined],
  ["abcd_efgh_ijkl_mnop", undefined],
  [`123456${" ".repeat(59)}`, undefined],
])("O11 %j is %s", (text, is, code = "") => {
  expect(parseOtp(text)).toEqual(is && { is, code });
  expect(new RegExp(otpPattern, "u").test(text) && text.length <= 64).toBe(is !== undefined);
});
