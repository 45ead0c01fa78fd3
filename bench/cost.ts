import type { prices as listPrices } from "./prices.ts";

/** What one function was measured to take (bench/measured.json). */
export interface Measured {
  memoryMb: number;
  /** Processor time of a warm call. */
  cpuMs: number;
  /** Processor time of a fresh process until its bundle is loaded, and of its first request. */
  initMs: number;
  firstMs: number;
  readUnits: number;
  writeUnits: number;
  logBytes: number;
}

/** The requests that the bill is made of. */
export type RequestName = "register" | "login" | "refresh" | "protected";

/** Those, and the two halves of a mailed code: it is asked for, and sent. */
export type CallName = RequestName | "ask" | "mail";

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
  ses: number;
  secrets: number;
}

/** Lambda gives a function a whole core at so much memory, and a share of one below it. */
export const wholeCoreMb = 1_769;
interface Shape {
  /** How often it waits for DynamoDB: what is sent at once is one step. The limits per address are on. */
  steps: number;
  /** The secrets that a fresh sandbox reads: hash keys; where tokens are signed, signing keys; to send codes, code keys. */
  secrets: number;
  /** A stream calls it, and no gateway; it waits for one answer of SES. */
  sends?: true;
}

const shapes: Record<CallName, Shape> = {
  register: { steps: 2, secrets: 1 },
  login: { steps: 4, secrets: 2 },
  refresh: { steps: 1, secrets: 2 },
  protected: { steps: 0, secrets: 0 },
  ask: { steps: 2, secrets: 1 },
  mail: { steps: 4, secrets: 2, sends: true },
};
/** One answer of SES, as a guess. */
const sesMs = 100;
/** Lambda's own lines about each call, and the gateway's access log. */
const platformLogBytes = 700;

const slowdown = ({ memoryMb }: Measured) => Math.max(1, wholeCoreMb / memoryMb);

/** How long a call waits for others, in milliseconds. */
function waitOf(name: CallName, { dynamodbMs }: Load): number {
  const { steps, sends } = shapes[name];
  return steps * dynamodbMs + (sends ? sesMs : 0);
}

/** How long a warm call takes on Lambda, in milliseconds. */
export function durationOf(name: CallName, measured: Measured, load: Load): number {
  return measured.cpuMs * slowdown(measured) + waitOf(name, load);
}

/** How long the first call of a sandbox takes on Lambda, in milliseconds: its start has a whole core. */
export function coldDurationOf(name: CallName, measured: Measured, load: Load): number {
  return measured.initMs + measured.firstMs * slowdown(measured) + waitOf(name, load);
}

/** What one call costs. */
export function costOf(name: CallName, measured: Measured, load: Load, prices: typeof listPrices): CallCost {
  const warm = Math.ceil(durationOf(name, measured, load));
  const cold = Math.ceil(coldDurationOf(name, measured, load));
  const billedMs = warm * (1 - load.coldShare) + cold * load.coldShare;
  const gbSeconds = (measured.memoryMb / 1024) * (billedMs / 1000);
  const { secrets, sends } = shapes[name];
  return {
    gateway: sends ? 0 : prices.gatewayMillionRequests / 1e6,
    lambda: gbSeconds * prices.lambdaGbSecond + prices.lambdaMillionRequests / 1e6,
    dynamodb:
      (measured.readUnits * prices.millionReadUnits + measured.writeUnits * prices.millionWriteUnits) / 1e6,
    logs: ((measured.logBytes + platformLogBytes) / 1e9) * prices.logGb,
    ses: sends ? prices.millionMails / 1e6 : 0,
    secrets: (secrets * load.coldShare * prices.secretMillionCalls) / 1e6,
  };
}

/** The sum of what a call is paid for, in US dollars. */
export const totalOf = (cost: CallCost): number => Object.values(cost).reduce((sum, part) => sum + part, 0);

/** How many requests of each kind there are in an average second. */
export function callsPerSecond(load: Load): Record<RequestName, number> {
  const perSecond = (perDay: number) => (load.users * perDay) / 86_400;
  return {
    register: load.registrationsPerDay / 86_400,
    login: perSecond(load.loginsPerDay),
    refresh: perSecond(load.refreshesPerDay),
    protected: perSecond(load.protectedPerDay),
  };
}
