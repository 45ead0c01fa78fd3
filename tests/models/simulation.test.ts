import { expect, test } from "@jest/globals";
import { createRandom } from "../support/random.ts";
import { type Scene, simulateDay } from "./day.ts";

// A day of one browser over the real refresh: what the length of the window costs honest users, and how soon a thief
// of the cookie is noticed. docs/rotation.md has the printed figures.
const { LONG, SEED = "1" } = process.env;
const days = { keyed: LONG ? 10_000 : 300, other: LONG ? 3_000 : 300 };
const ours = "the key of the browser's tabs";
const theirs = "a key that the thief made up";
const unkeyed: Scene = { windowSeconds: 10, keyed: false, callers: [undefined], lossRate: 0 };
const keyed: Scene = { ...unkeyed, keyed: true, callers: [ours] };

async function simulate(scene: Scene) {
  const count = scene.keyed ? days.keyed : days.other;
  const random = createRandom(Number(SEED));
  const all = [];
  for (let day = 0; day < count; day++) all.push(await simulateDay(scene, random));
  const minutes = all.map(({ noticedAfter }) => noticedAfter / 60).sort((a, b) => a - b);
  return {
    ended: all.filter(({ endedAfter }) => Number.isFinite(endedAfter)).length / count,
    noticed: minutes.filter(Number.isFinite).length / count,
    at: (share: number) => minutes[Math.min(count - 1, Math.floor(share * count))] as number,
  };
}

/** Between what each figure must be: shares of sessions ended, and minutes until a thief without the key is noticed. */
type Known = Partial<
  Record<"lost" | "tabs" | "median" | "percentile95" | "latest", [min: number, max: number]>
>;

// Within the life of one JWT and a minute.
const soon: Known = { median: [7.5, 8.5], percentile95: [14.5, 15.5], latest: [0, 16] };
const never: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
const rules: [rule: string, scene: Scene, known: Known][] = [
  ["window 0", { ...unkeyed, windowSeconds: 0 }, { lost: [0.7, 0.96], tabs: [0.8, 0.96], ...soon }],
  ["window 10 s", unkeyed, { lost: [0.35, 0.6], tabs: [0, 0.02], median: [9, 20], percentile95: [30, 70] }],
  [
    "window 30 s",
    { ...unkeyed, windowSeconds: 30 },
    { lost: [0.015, 0.12], tabs: [0, 0], median: [50, 130], percentile95: [200, 550] },
  ],
  ["window 60 s", { ...unkeyed, windowSeconds: 60 }, { lost: [0, 0.015], tabs: [0, 0], median: never }],
  ["keyed session", keyed, { lost: [0, 0], tabs: [0, 0], ...soon }],
];

test.each(rules)(
  "%s: the sessions that end in a day, and when a thief is noticed",
  async (rule, scene, known) => {
    const [key] = scene.callers;
    const lost = (await simulate({ ...scene, lossRate: 0.02 })).ended;
    const tabs = (await simulate({ ...scene, callers: [key, key, key] })).ended;
    const { at } = await simulate({ ...scene, thief: { key: undefined } });
    const figures = { lost, tabs, median: at(0.5), percentile95: at(0.95), latest: at(1) };
    process.stdout.write(`${rule}: ${JSON.stringify(figures)}\n`);
    const wrong = Object.entries(known).filter(([name, [min, max]]) => {
      const figure = figures[name as keyof Known];
      return !(figure >= min && figure <= max);
    });
    expect(wrong).toEqual([]);
  },
);

test.each([0.2, 0.5])("with keys no honest session ends: three tabs, loss rate %d", async (lossRate) => {
  expect((await simulate({ ...keyed, callers: [ours, ours, ours], lossRate })).ended).toBe(0);
});

test.each<[string, number, Scene]>([
  ["a thief with a key of their own", 1, { ...keyed, thief: { key: theirs } }],
  ["a thief in step, keyed session", 1, { ...keyed, thief: { key: undefined, isInStep: true } }],
  ["a thief in step, window 10 s", 0, { ...unkeyed, thief: { key: undefined, isInStep: true } }],
  ["a thief with the browser's key", 0, { ...keyed, thief: { key: ours } }],
])("%s: %d of 1 noticed", async (_, noticed, scene) => {
  expect((await simulate(scene)).noticed).toBe(noticed);
});

test("a caller without the key beside one with it ends a keyed session nearly always", async () => {
  const { ended } = await simulate({ ...keyed, callers: [ours, undefined], lossRate: 0.02 });
  process.stdout.write(`keyed session, one caller without the key: ${(100 * ended).toFixed(1)} % ended\n`);
  expect(ended).toBeGreaterThan(0.85);
});
