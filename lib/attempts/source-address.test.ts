import { expect, test } from "@jest/globals";
import { listSources } from "./source-address.ts";

test.each<[address: string | undefined, name: string, wide: string]>([
  ["192.0.2.7", "192.0.2.7", ""],
  ["2001:db8::1", "2001:db8:0:0::/64", "2001:db8:0::/48"],
  ["2001:0DB8:0000:0000:ffff::", "2001:db8:0:0::/64", "2001:db8:0::/48"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"],
  ["2001:db8:1:2:3:4:192.0.2.7", "2001:db8:1:2::/64", "2001:db8:1::/48"],
  ["fe80:1:2:3::1%eth0", "fe80:1:2:3::/64", "fe80:1:2::/48"],
  ["::1", "0:0:0:0::/64", "0:0:0::/48"],
  ["1::", "1:0:0:0::/64", "1:0:0::/48"],
  ["::ffff:192.0.2.7", "192.0.2.7", ""],
  ["::FFFF:c000:0207", "192.0.2.7", ""],
  ["0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7", ""],
  ["::fffe:192.0.2.7", "0:0:0:0::/64", "0:0:0::/48"],
  ["not an address", "not an address", ""],
  [undefined, "unknown", ""],
])("%s is counted as %s, and eight times as often as %j", (address, name, wide) => {
  const sources = [{ name, share: 1 }, ...(wide ? [{ name: wide, share: 8 }] : [])];
  expect(listSources(address)).toEqual(sources);
});
