import { defaultLoad } from "./cost-options.ts";
import {
  reportFlood,
  reportMails,
  reportMemory,
  reportMonth,
  reportPeak,
  reportPerMillion,
  reportSimulation,
  reportUnits,
} from "./cost-report.ts";
import { type Measurement, readMeasurement } from "./measurement.ts";
import { prices } from "./prices.ts";

const sections: Record<string, (measurement: Measurement) => string> = {
  source: ({ date, machine }) =>
    `Measured ${date} on ${machine}. Prices: ${prices.region}, ${prices.asOf}, from memory of the public lists: check them (\`bench/prices.ts\`).`,
  million: (measurement) => reportPerMillion(measurement, defaultLoad, prices),
  mails: (measurement) => reportMails(measurement, defaultLoad, prices),
  month: (measurement) => reportMonth(measurement, defaultLoad, prices),
  large: (measurement) =>
    reportMonth(measurement, { ...defaultLoad, users: 1e8, registrationsPerDay: 1e5 }, prices),
  memory: (measurement) => reportMemory(measurement, defaultLoad, prices),
  units: () => reportUnits(prices),
  flood: (measurement) => reportFlood(measurement, defaultLoad, prices),
  peak: (measurement) => reportPeak(measurement, defaultLoad),
  simulation: (measurement) => reportSimulation(measurement, defaultLoad),
};

/** Puts what the calculator prints between the marks of docs/scale.md (`<!-- month -->` … `<!-- /month -->`). */
export function fillDocument(text: string): string {
  const measurement = readMeasurement();
  return Object.entries(sections).reduce((filled, [name, render]) => {
    const section = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!section.test(filled)) throw new Error(`docs/scale.md has no section ${name}`);
    return filled.replace(section, (_, start, end) => `${start}\n${render(measurement)}\n\n${end}`);
  }, text);
}
