import { expect, test } from "@jest/globals";
import { toSource } from "./source-address.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:0DB8:0000:0000:ffff::", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["1::", "1:0:0:0::/64"],
  ["::ffff:192.0.2.7", "::ffff:192.0.2.7"],
  ["not an address", "not an address"],
  [undefined, "unknown"],
])("%s is counted as %s", (address, source) => {
  expect(toSource(address)).toBe(source);
});
