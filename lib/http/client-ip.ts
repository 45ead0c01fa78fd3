import type { Config } from "../config.ts";

/** What is known of where a request comes from. */
interface Origin {
  /** What the header x-proxy-secret holds. */
  proxySecret: string | undefined;
  headers: Readonly<Record<string, string>>;
  /** The address that the gateway saw. */
  sourceIp: string | undefined;
}

/** Finds the client's IP address. */
export type FindClientIp = (origin: Origin) => string | undefined;

/**
 * Makes the rule: whoever knows the secret of the trusted proxy says in one header who the client is. Of everybody else,
 * and where that header is not one address, the gateway's source address counts. X-Forwarded-For is never read: clients
 * send it, and the gateway appends to it.
 */
export function createFindClientIp({
  trustedProxySecret,
  trustedProxyHeader,
}: Config<"trustedProxySecret" | "trustedProxyHeader">): FindClientIp {
  if (trustedProxySecret.length === 0) return ({ sourceIp }) => sourceIp;
  const { createHash, timingSafeEqual } = process.getBuiltinModule("node:crypto");
  const hash = (secret: string) => createHash("sha256").update(secret).digest();
  const known = trustedProxySecret.map(hash);
  return ({ proxySecret, headers, sourceIp }) => {
    if (proxySecret === undefined) return sourceIp;
    const presented = hash(proxySecret);
    const isTrusted = known.filter((secret) => timingSafeEqual(secret, presented)).length > 0;
    const hasPort = trustedProxyHeader === "cloudfront-viewer-address";
    return (isTrusted && parseIp(headers[trustedProxyHeader], hasPort)) || sourceIp;
  };
}

/**
 * Reads one IP address, with or without a port: `192.0.2.7:443`, `[2001:db8::7]:443`, `2001:db8::7`, and as CloudFront has
 * it `2001:db8::7:4653`. That is an address, too, of another network: `hasPort` says that there is one.
 */
export function parseIp(text = "", hasPort = false): string | undefined {
  const [, bracketed, port] = /^\[([\da-f:.]+)\](?::(\d{1,5}))?$/i.exec(text) ?? [];
  if (bracketed !== undefined) return net().isIPv6(bracketed) && isPort(port) ? bracketed : undefined;
  if (!hasPort && isPlainIp(text)) return text;
  const [, address = "", last] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (isPlainIp(address) && isPort(last)) return address;
  return isPlainIp(text) ? text : undefined;
}

/** With node:crypto it is ten more of Node's modules: they are loaded only where there is a proxy. */
const net = () => process.getBuiltinModule("node:net");
/** An address without a zone, which means nothing on another machine. */
const isPlainIp = (text: string) => net().isIP(text) !== 0 && !text.includes("%");
const isPort = (text = "0") => Number(text) <= 65_535;
