import { readFileSync, writeFileSync } from "node:fs";
import { type Options, parseOptions, usage } from "./cost-options.ts";
import { reportMails, reportMonth, reportPeak, reportPerMillion } from "./cost-report.ts";
import { readMeasurement } from "./measurement.ts";
import { prices } from "./prices.ts";
import { fillDocument } from "./scale-document.ts";

/** What `npm run cost` runs. */
const { load, write, help } = readOptions();
if (help) console.log(usage);
else if (write) writeFileSync("docs/scale.md", fillDocument(readFileSync("docs/scale.md", "utf8")));
else {
  const measurement = readMeasurement();
  console.log(
    `Prices: ${prices.region}, ${prices.asOf}, from memory. Measured ${measurement.date}: ${measurement.machine}.`,
  );
  const tables = [
    reportPerMillion(measurement, load, prices),
    reportMails(measurement, load, prices),
    reportMonth(measurement, load, prices),
    reportPeak(measurement, load),
  ];
  console.log(`\n${tables.join("\n\n")}`);
}

function readOptions(): Options {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
