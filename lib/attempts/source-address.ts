import { isIPv6 } from "node:net";

/**
 * The part of a client's address that one party has to itself: an IPv4 address whole, of IPv6 the first 64 bits
 * (RFC 6177). Without an address all clients are one.
 */
export function toSource(address: string | undefined): string {
  if (address === undefined) return "unknown";
  if (!isIPv6(address) || address.includes(".")) return address;
  const [head = "", tail] = address
    .toLowerCase()
    .split("::")
    .map((part) => part.split(":"));
  const zeros = tail === undefined ? [] : Array<string>(8 - head.length - tail.length).fill("0");
  const groups = [...head, ...zeros, ...(tail ?? [])].map((group) => group.replace(/^0+(?=.)/, "") || "0");
  return `${groups.slice(0, 4).join(":")}::/64`;
}
