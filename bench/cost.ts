import type { prices as listPrices } from "./prices.ts";

/** What one function was measured to take (bench/measured.json). */
export interface Measured {
  memoryMb: number;
  /** Processor time of a warm call. */
  cpuMs: number;
  /** Processor time of a fresh process until its first answer. */
  coldMs: number;
  readUnits: number;
  writeUnits: number;
  logBytes: number;
}

/** The calls that the bill is made of. */
export type CallName = "register" | "login" | "refresh" | "protected";

/** What users do, and what is assumed of AWS. */
export interface Load {
  users: number;
  /** Per user. */
  loginsPerDay: number;
  refreshesPerDay: number;
  protectedPerDay: number;
  registrationsPerDay: number;
  /** How much more is done in the busiest second than in the average one. */
  peak: number;
  /** One answer of DynamoDB. */
  dynamodbMs: number;
  /** The share of calls that meet a fresh sandbox. */
  coldShare: number;
}

/** One call in US dollars, by what it is paid for. */
export interface CallCost {
  gateway: number;
  lambda: number;
  dynamodb: number;
  logs: number;
  secrets: number;
}

/** Lambda gives a function a whole core at so much memory, and a share of one below it. */
const wholeCoreMb = 1_769;
/** How often a call waits for DynamoDB: what is sent at once is one step. The limits per address are on. */
const steps: Record<CallName, number> = { register: 2, login: 4, refresh: 1, protected: 0 };
/** Lambda's own lines about each call, and the gateway's access log. */
const platformLogBytes = 700;
/** The secrets that a fresh sandbox reads: those of the hash keys and, where tokens are signed, of the signing keys. */
const secretsOf: Record<CallName, number> = { register: 1, login: 2, refresh: 2, protected: 0 };

const slowdown = ({ memoryMb }: Measured) => Math.max(1, wholeCoreMb / memoryMb);

/** How long a warm call takes on Lambda, in milliseconds. */
export function durationOf(name: CallName, measured: Measured, { dynamodbMs }: Load): number {
  return measured.cpuMs * slowdown(measured) + steps[name] * dynamodbMs;
}

/** How long the first call of a sandbox takes on Lambda, in milliseconds. */
export function coldDurationOf(name: CallName, measured: Measured, load: Load): number {
  return measured.coldMs * slowdown(measured) + steps[name] * load.dynamodbMs;
}

/** What one call costs. */
export function costOf(name: CallName, measured: Measured, load: Load, prices: typeof listPrices): CallCost {
  const warm = Math.ceil(durationOf(name, measured, load));
  const cold = Math.ceil(coldDurationOf(name, measured, load));
  const billedMs = warm * (1 - load.coldShare) + cold * load.coldShare;
  const gbSeconds = (measured.memoryMb / 1024) * (billedMs / 1000);
  return {
    gateway: prices.gatewayMillionRequests / 1e6,
    lambda: gbSeconds * prices.lambdaGbSecond + prices.lambdaMillionRequests / 1e6,
    dynamodb:
      (measured.readUnits * prices.millionReadUnits + measured.writeUnits * prices.millionWriteUnits) / 1e6,
    logs: ((measured.logBytes + platformLogBytes) / 1e9) * prices.logGb,
    secrets: (secretsOf[name] * load.coldShare * prices.secretMillionCalls) / 1e6,
  };
}

/** The sum of what a call is paid for, in US dollars. */
export const totalOf = (cost: CallCost): number => Object.values(cost).reduce((sum, part) => sum + part, 0);

/** How many calls of each kind there are in an average second. */
export function callsPerSecond(load: Load): Record<CallName, number> {
  const perSecond = (perDay: number) => (load.users * perDay) / 86_400;
  return {
    register: load.registrationsPerDay / 86_400,
    login: perSecond(load.loginsPerDay),
    refresh: perSecond(load.refreshesPerDay),
    protected: perSecond(load.protectedPerDay),
  };
}
