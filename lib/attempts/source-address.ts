import { isIPv6 } from "node:net";

/** Whom an address belongs to, and how many times the limit of one party they have. */
export interface Source {
  name: string;
  share: number;
}

/**
 * The parties that an address belongs to, the smallest first: an IPv4 address whole; of IPv6 a network of 64 bits, and
 * one of 48, which whoever has it can cut into 65,536 of the other (RFC 6177). Without an address all clients are one.
 */
export function listSources(address: string | undefined): Source[] {
  if (address === undefined) return [{ name: "unknown", share: 1 }];
  if (!isIPv6(address)) return [{ name: address, share: 1 }];
  const groups = toGroups(address);
  const mapped = toMappedIPv4(groups);
  if (mapped !== undefined) return [{ name: mapped, share: 1 }];
  const network = (bits: number) => `${groups.slice(0, bits / 16).join(":")}::/${bits}`;
  return [
    { name: network(64), share: 1 },
    { name: network(48), share: 8 },
  ];
}

/** The eight groups of an IPv6 address, without leading zeros (RFC 5952, 4). */
function toGroups(address: string): string[] {
  const [head = [], tail] = address
    .toLowerCase()
    .replace(/%.*/, "")
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes) => toHex(bytes.slice(0, 4).map(Number)))
    .split("::")
    .map((part) => (part === "" ? [] : part.split(":")));
  const zeros = tail ? Array<string>(8 - head.length - tail.length).fill("0") : [];
  return [...head, ...zeros, ...(tail ?? [])].map((group) => group.replace(/^0+(?=.)/, ""));
}

const toHex = ([a = 0, b = 0, c = 0, d = 0]: number[]) =>
  `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;

/** The IPv4 address that stands in an IPv6 one (`::ffff:192.0.2.7`, RFC 4291, 2.5.5.2). */
function toMappedIPv4(groups: string[]): string | undefined {
  if (groups.slice(0, 6).join(":") !== "0:0:0:0:0:ffff") return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
    .join(".");
}
