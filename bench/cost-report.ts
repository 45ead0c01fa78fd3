import { createAlarms } from "../build/operations/alarms.ts";
import { type Setting, settingsOfMail } from "../lib/settings.ts";
import { declared, ownTableVariables, tableSettings } from "../tests/support/declared.ts";
import { budgets } from "./budgets.ts";
import { memorySizes } from "./core-share.ts";
import {
  type CallCost,
  callsPerSecond,
  coldDurationOf,
  costOf,
  durationOf,
  type Load,
  type RequestName,
  totalOf,
} from "./cost.ts";
import type { Measurement } from "./measurement.ts";
import type { prices as listPrices } from "./prices.ts";
import { type Scenario, simulate } from "./simulate.ts";
import { createTable } from "./table.ts";

const labels: Record<RequestName, string> = {
  register: "registrations",
  login: "logins",
  refresh: "refreshes",
  protected: "protected calls",
};
const callNames = Object.keys(labels) as RequestName[];
const secondsPerMonth = 30.4 * 86_400;
const number = (value: number) => Math.round(value).toLocaleString("en-US");
const dollars = (value: number) => (value < 10 ? value.toFixed(2) : number(value));

/** What a million calls of each kind cost, by what is paid for. */
export function reportPerMillion({ calls }: Measurement, load: Load, prices: typeof listPrices): string {
  const parts: (keyof CallCost)[] = ["gateway", "lambda", "dynamodb", "logs", "secrets"];
  return createTable(
    ["a million", "gateway", "Lambda", "DynamoDB", "logs", "keys", "**US$**", "warm ms", "cold ms", "MB"],
    callNames.map((name) => {
      const cost = costOf(name, calls[name], load, prices);
      return [
        labels[name],
        ...parts.map((part) => (cost[part] * 1e6).toFixed(2)),
        `**${(totalOf(cost) * 1e6).toFixed(2)}**`,
        durationOf(name, calls[name], load).toFixed(0),
        coldDurationOf(name, calls[name], load).toFixed(0),
        calls[name].memoryMb,
      ];
    }),
  );
}

/** What a million mails with a code cost, those included who ask for them. */
export function reportMails({ calls }: Measurement, load: Load, prices: typeof listPrices): string {
  const [ask, mail] = (["ask", "mail"] as const).map((name) => costOf(name, calls[name], load, prices));
  const of = (part: keyof CallCost) => (ask?.[part] ?? 0) + (mail?.[part] ?? 0);
  const units = (what: "readUnits" | "writeUnits") => calls.ask[what] + calls.mail[what];
  const parts: [label: string, keyof CallCost][] = [
    ["SES", "ses"],
    [`DynamoDB: ${units("writeUnits")} writes, ${units("readUnits")} reads`, "dynamodb"],
    ["gateway, for whoever asks", "gateway"],
    ["Lambda, both functions", "lambda"],
    ["logs", "logs"],
    ["keys", "secrets"],
  ];
  const sum = parts.reduce((total, [, part]) => total + of(part), 0);
  return createTable(
    ["a million mails with a code", "US$"],
    [
      ...parts.map(([label, part]) => [label, (of(part) * 1e6).toFixed(2)]),
      ["**all**", `**${(sum * 1e6).toFixed(2)}**`],
      ["1,000 a day, a month of them", (sum * 1_000 * 30.4).toFixed(2)],
    ],
  );
}

/** Bytes that a user's account and its one session take in DynamoDB, hundred bytes of overhead each included. */
const storedBytesPerUser = 1_200;
/** What is paid for whatever is done, without mail: alarms, a dashboard, three secrets. */
const ofMail = Object.values<Setting<unknown>>(settingsOfMail).map(({ variable }) => variable);
const tables = Object.keys(tableSettings).filter(
  (variable) => ![...ofMail, ...ownTableVariables].includes(variable),
);
const alarmCount = Object.keys(
  createAlarms({
    ...{ service: "", stage: "prod", topicArn: undefined },
    ...{ tables, fed: [], hasProviders: false },
  }),
).length;

/** What other sizes of memory would take and cost, Lambda alone. */
export function reportMemory({ calls }: Measurement, load: Load, prices: typeof listPrices): string {
  const kinds: RequestName[] = ["protected", "refresh", "login"];
  const heads = kinds.map((name) => [`${labels[name]}: fresh ms`, "warm ms", "US$ a million"]);
  return createTable(
    ["MB", ...heads.flat()],
    memorySizes.map((memoryMb) => [
      memoryMb,
      ...kinds.flatMap((name) => {
        const measured = { ...calls[name], memoryMb };
        const times = [coldDurationOf, durationOf].map((find) => number(find(name, measured, load)));
        const cells = [...times, dollars(costOf(name, measured, load, prices).lambda * 1e6)];
        return calls[name].memoryMb === memoryMb ? cells.map((cell) => `**${cell}**`) : cells;
      }),
    ]),
  );
}

/** What each function asks of DynamoDB, and what a million of its calls pay for that. */
export function reportUnits(prices: typeof listPrices): string {
  const rows = Object.entries(budgets).map(([name, { requests = 0, readUnits = 0, writeUnits = 0 }]) => {
    const cost = readUnits * prices.millionReadUnits + writeUnits * prices.millionWriteUnits;
    return [name, requests, readUnits, writeUnits, cost] as const;
  });
  return createTable(
    ["function", "requests", "read units", "write units", "US$ a million"],
    rows
      .filter(([, requests]) => requests > 0)
      .toSorted(([, , , , a], [, , , , b]) => b - a)
      .map(([name, requests, reads, writes, cost]) => [name, requests, reads, writes, cost.toFixed(2)]),
  );
}

/** What an hour of asking for new passwords costs, as fast as the gateway lets it through. */
export function reportFlood({ calls }: Measurement, load: Load, prices: typeof listPrices): string {
  const asks = declared.functions.forgotPassword?.throttling?.rate ?? Number.NaN;
  const count = asks * 3_600;
  const ask = costOf("ask", calls.ask, load, prices);
  const refused = costOf("ask", { ...calls.ask, writeUnits: 1 }, load, prices);
  const mail = costOf("mail", calls.mail, load, prices);
  const looked = totalOf(ask) + totalOf(mail) - mail.ses;
  const rows: [who: string, sent: number, cost: number][] = [
    ["one source: refused after its first 20", 0, 20 * looked + (count - 20) * totalOf(refused)],
    ["many sources, addresses without an account", 0, count * looked],
    [
      `many sources, ${number(count / mailsInFirstHour)} addresses of accounts`,
      count,
      count * (totalOf(ask) + totalOf(mail)),
    ],
  ];
  return createTable(
    ["an hour of it", "asked", "mails sent", "US$"],
    rows.map(([who, sent, cost]) => [who, number(count), number(sent), dollars(cost)]),
  );
}

/** Three at once, then after 5 and after 15 minutes (lib/attempts/pause-rule.ts). */
const mailsInFirstHour = 5;

/** What a month costs. */
export function reportMonth({ calls }: Measurement, load: Load, prices: typeof listPrices): string {
  const perSecond = callsPerSecond(load);
  const rows = callNames.map((name) => {
    const count = perSecond[name] * secondsPerMonth;
    return [labels[name], number(count), count * totalOf(costOf(name, calls[name], load, prices))] as const;
  });
  const gb = (load.users * storedBytesPerUser) / 1e9;
  const stored = gb * (prices.storageGbMonth + prices.backupGbMonth);
  const fixed = alarmCount * prices.alarmMonth + prices.dashboardMonth + 3 * prices.secretMonth;
  const sum = rows.reduce((total, [, , cost]) => total + cost, stored + fixed);
  return createTable(
    ["a month", "calls", "US$"],
    [
      ...rows.map(([label, count, cost]) => [label, count, dollars(cost)]),
      [`${gb.toFixed(1)} GB in DynamoDB, with backups`, "", dollars(stored)],
      ["alarms, dashboard, three secrets", "", dollars(fixed)],
      ["**all**", "", `**${dollars(sum)}**`],
      ["**per user**", "", `**${(sum / load.users).toFixed(5)}**`],
    ],
  );
}

/** What the busiest second asks for. */
export function reportPeak({ calls }: Measurement, load: Load): string {
  const perSecond = callsPerSecond(load);
  return createTable(
    ["busiest second", "calls", "sandboxes at once", "write units", "read units"],
    callNames.map((name) => {
      const peak = perSecond[name] * load.peak;
      return [
        labels[name],
        number(peak),
        number(Math.ceil((peak * durationOf(name, calls[name], load)) / 1000)),
        number(peak * calls[name].writeUnits),
        number(peak * calls[name].readUnits),
      ];
    }),
  );
}

/** What happens at ten thousand refreshes a second. */
export function reportSimulation({ calls }: Measurement, load: Load): string {
  const slowdown = durationOf("refresh", calls.refresh, { ...load, dynamodbMs: 0 }) / calls.refresh.cpuMs;
  const base: Scenario = {
    rate: 10_000,
    hotRate: 0,
    seconds: 20,
    cpuMs: calls.refresh.cpuMs * slowdown,
    dynamodbMs: load.dynamodbMs,
    coldMs: calls.refresh.initMs + (calls.refresh.firstMs - calls.refresh.cpuMs) * slowdown,
    warm: 1_000,
    concurrency: 1_000,
    growth: 1_000,
    partitions: 40,
    isHotIsolated: false,
  };
  const cases: [string, Partial<Scenario>][] = [
    ["warm fleet", {}],
    ["no sandbox is warm, as after a deployment", { warm: 0 }],
    ["the same, with an account limit of 10,000", { warm: 0, concurrency: 10_000 }],
    ["the same, with 200 provisioned", { warm: 200, concurrency: 1_000 }],
    ["a new table: 4 partitions", { partitions: 4 }],
    ["12 partitions", { partitions: 12 }],
    ["one user sends 1,500 a second as well", { hotRate: 1_500 }],
    ["the same, when DynamoDB has given that user a partition", { hotRate: 1_500, isHotIsolated: true }],
  ];
  return createTable(
    [
      "10,000 refreshes a second, 20 s",
      "p50 ms",
      "p99 ms",
      "refused",
      "of the one user",
      "sandboxes",
      "key reads in a second",
    ],
    cases.map(([label, changes]) => {
      const outcome = simulate({ ...base, ...changes });
      const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
      return [
        label,
        outcome.p50.toFixed(0),
        outcome.p99.toFixed(0),
        percent(outcome.refused),
        changes.hotRate ? percent(outcome.hotRefused) : "",
        number(outcome.sandboxes),
        number(outcome.secretReadsPerSecond),
      ];
    }),
  );
}
