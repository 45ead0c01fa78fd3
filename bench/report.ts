import { permissions } from "../tests/support/declared.ts";
import { emptyName } from "./cold.ts";
import { memorySizes, type SharedStarts } from "./core-share.ts";
import type { Facts } from "./facts.ts";
import type { Measured, PeerRequests } from "./measure.ts";
import { peerVersions } from "./peers.ts";
import type { Timing } from "./race.ts";
import { type FunctionName, functionNames } from "./requests.ts";
import { createTable } from "./table.ts";

type AllFacts = Record<FunctionName, Facts>;
type Times = NonNullable<Measured["times"]>;

const times = (value: number) => `${value.toFixed(2)}×`;
const kib = (bytes: number) => (bytes / 1024).toFixed(1);
const units = ({ readUnits, writeUnits }: Facts) =>
  [readUnits > 0 && `${readUnits} R`, writeUnits > 0 && `${writeUnits} W`].filter(Boolean).join(" + ") || "0";

/** The facts of all functions as a Markdown table. */
export function reportFacts(facts: AllFacts): string {
  return createTable(
    ["function", "bundle KiB", "zip KiB", "builtin modules", "DynamoDB requests", "request units"],
    functionNames.map((name) => {
      const { bundleBytes, zipBytes, modules, requests } = facts[name];
      return [name, kib(bundleBytes), kib(zipBytes), modules, requests.length, units(facts[name])];
    }),
  );
}

/** One run as Markdown: ratios first. */
export function reportTimes(facts: AllFacts, { cold, shares, warm, peerRequests }: Times): string {
  return [
    `Node ${process.version}, ${process.platform} ${process.arch}, ${new Date().toISOString().slice(0, 10)}; ${peerVersions()}.`,
    reportGoals(facts, cold, warm),
    "### Cold starts and sizes\n\nFrom the start of a fresh process to its first answer; the median of all rounds.",
    reportCold(facts, cold),
    "### Cold starts by memory\n\nAs Lambda runs them: INIT with a whole core, then the share of one that the memory buys (a control group of Linux). Milliseconds.",
    shares ? reportShares(shares, facts) : "Not measured: this process may make no control group.",
    "### Warm calls\n\nThe best round; `cpu` is the processor time of all threads. Microseconds.",
    reportWarm(warm),
    "### Requests to DynamoDB of a warm call",
    reportRequests(facts, peerRequests),
  ].join("\n\n");
}

/** The goals that are ratios of times: what was measured, and what was aimed at. */
function reportGoals(facts: AllFacts, cold: Times["cold"], warm: Times["warm"]): string {
  const empty = cold[emptyName] ?? { ms: 0, cpuMs: 0, peakKiB: 0 };
  const coldOf = (name: string) => times((cold[name]?.ms ?? 0) / empty.ms);
  const slowest = (names: string[]) =>
    names.toSorted((a, b) => (cold[b]?.ms ?? 0) - (cold[a]?.ms ?? 0))[0] ?? "";
  const most = (names: FunctionName[], what: "bundleBytes" | "modules") =>
    Math.max(...names.map((name) => facts[name][what]));
  const largest = (names: string[]) =>
    Math.max(...names.map((name) => (cold[name]?.peakKiB ?? 0) / empty.peakKiB));
  const { protected: open, refresh, login } = warm as Record<string, Record<string, Timing>>;
  const p50 = (scenario: typeof open, name: string) => scenario?.[name]?.p50 ?? Number.NaN;
  const beyond = (name: string, hash: string) => p50(login, name) - p50(login, hash);
  const cpu = (name: string) => login?.[name]?.cpu ?? Number.NaN;
  const cpuBeyond = ((refresh?.refresh?.cpu ?? 0) - (refresh?.UpdateItem?.cpu ?? 0)) / 1000;
  const movies = open?.movies ?? { p50: 1, p99: 1, cpu: 1 };
  const verifyOnly = ["movies", "me", "jwks", "authorizer"];
  // Its own files are in its bundle
  const withoutPage = verifyOnlyNames.filter((name) => name !== "page");
  const withDynamoDB = functionNames.filter((name) => !verifyOnlyNames.includes(name));
  const others = withDynamoDB.filter((name) => name !== "refresh" && name !== "login");
  const [verifying, other] = [slowest(verifyOnly), slowest(others)];
  return createTable(
    ["goal", "measured", "aim"],
    [
      [
        `G2 cold start / empty handler, verify-only (slowest of four: ${verifying})`,
        coldOf(verifying),
        "≤ 1.4×",
      ],
      ["G2 the same, refresh", coldOf("refresh"), "≤ 3.0×"],
      ["G2 the same, login", coldOf("login"), "≤ 4.6×"],
      [`G2 the same, any other (slowest: ${other})`, coldOf(other), "≤ 5.0×"],
      ["G3 largest bundle, verify-only, KiB", kib(most(withoutPage, "bundleBytes")), "≤ 42"],
      ["G3 largest bundle, with DynamoDB, KiB", kib(most(withDynamoDB, "bundleBytes")), "≤ 320"],
      [
        "G4 protected call, token new to the sandbox / jose jwtVerify",
        times(p50(open, "movies, new token") / p50(open, "jose")),
        "≤ 1.18×",
      ],
      [
        "G4 protected call, token seen before / jose jwtVerify",
        times(p50(open, "movies") / p50(open, "jose")),
        "≤ 0.12×",
      ],
      ["G5 refresh beyond one raw UpdateItem, CPU ms", cpuBeyond.toFixed(2), "≤ 0.5"],
      ["G5 refresh / OpenAuth's", times(p50(refresh, "refresh") / p50(refresh, "openauth")), "≤ 0.5×"],
      [
        "G5 the same in processor time",
        times((refresh?.refresh?.cpu ?? Number.NaN) / (refresh?.openauth?.cpu ?? Number.NaN)),
        "≤ 0.42×",
      ],
      [
        "G6 login beyond its hash / OpenAuth's beyond its own",
        times(beyond("login", "argon2") / beyond("openauth", "scrypt")),
        "≤ 0.7×",
      ],
      [
        "G6 the same in processor time",
        times((cpu("login") - cpu("argon2")) / (cpu("openauth") - cpu("scrypt"))),
        "",
      ],
      ["G7 builtin modules, verify-only, most", most(verifyOnlyNames, "modules"), "≤ 130"],
      ["G7 builtin modules, with DynamoDB, most", most(withDynamoDB, "modules"), "≤ 180"],
      ["G8 peak memory, verify-only / empty handler", times(largest(verifyOnly)), "≤ 1.15×"],
      ["G8 peak memory, login / empty handler", times(largest(["login"])), "≤ 2.0×"],
      ["G9 protected call, p99 / p50", times(movies.p99 / movies.p50), "≤ 3×"],
      [
        "G10 refresh: processor time of the first request / of a warm one",
        times(((cold.refresh?.firstCpuMs ?? 0) * 1000) / (refresh?.refresh?.cpu ?? Number.NaN)),
        "≤ 2×",
      ],
    ],
  );
}

const verifyOnlyNames = functionNames.filter((name) => (permissions[name] ?? []).length === 0);

function reportCold(facts: AllFacts, cold: Times["cold"]): string {
  const empty = cold[emptyName] ?? { ms: 0, cpuMs: 0, peakKiB: 0 };
  return createTable(
    [
      "function",
      "cold start / empty",
      "ms",
      "CPU / empty",
      "CPU ms, INIT",
      "CPU ms, first request",
      "memory / empty",
      "MiB",
      "bundle KiB",
      "zip KiB",
      "builtin modules",
    ],
    Object.entries(cold).map(([name, { ms, cpuMs, initCpuMs, firstCpuMs, peakKiB }]) => {
      const fact = facts[name as FunctionName];
      const sizes = fact ? [kib(fact.bundleBytes), kib(fact.zipBytes), fact.modules] : ["", "", ""];
      return [
        name,
        times(ms / empty.ms),
        ms.toFixed(1),
        times(cpuMs / empty.cpuMs),
        initCpuMs.toFixed(1),
        firstCpuMs.toFixed(1),
        times(peakKiB / empty.peakKiB),
        kib(peakKiB),
        ...sizes,
      ];
    }),
  );
}

function reportShares(shares: SharedStarts, facts: AllFacts): string {
  return createTable(
    ["function", "as it is deployed, MB", ...memorySizes.map((memoryMb) => `${memoryMb} MB`)],
    Object.entries(shares).map(([name, bySize]) => [
      name,
      facts[name as FunctionName].memoryMb,
      ...memorySizes.map((memoryMb) => {
        const { initMs = Number.NaN, firstMs = Number.NaN } = bySize[memoryMb] ?? {};
        return `${initMs.toFixed(0)} + ${firstMs.toFixed(0)}`;
      }),
    ]),
  );
}

/** What each warm call is compared with: the least that its work could take. */
const limits: Record<string, string> = { protected: "jose", refresh: "UpdateItem", login: "argon2" };

function reportWarm(warm: Times["warm"]): string {
  const rows = Object.entries(warm).flatMap(([scenario, timings]) => {
    const limit = timings[limits[scenario] ?? ""];
    return Object.entries(timings).map(([name, { p50, p99, cpu }]) => [
      scenario,
      name,
      limit ? times(p50 / limit.p50) : "",
      ...[p50, p99, cpu].map((value) => value.toFixed(0)),
    ]);
  });
  return createTable(["scenario", "who", "p50 / limit (the first)", "p50", "p99", "cpu"], rows);
}

function reportRequests(facts: AllFacts, peerRequests: PeerRequests): string {
  const own = functionNames.map((name) => [
    name,
    facts[name].requests.join(", ") || "none",
    units(facts[name]),
  ]);
  const others = Object.entries(peerRequests).flatMap(([peer, counts]) =>
    Object.entries(counts).map(([route, count]) => [`${peer} ${route}`, count, ""]),
  );
  return createTable(["function", "requests", "request units"], [...own, ...others]);
}
