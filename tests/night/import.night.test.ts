import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, expect, test } from "@jest/globals";
import { parseEngineName, startEngine } from "../../local/engine.ts";
import { createTables } from "../../local/tables.ts";
import { declared, tableSettings } from "../support/declared.ts";
import { createFolder, removeFolder } from "../support/project.ts";

const accounts = 1_000_000;

const folder = createFolder();
const name = parseEngineName(process.env.TEST_ENGINE);
const { endpoint, stop } = await startEngine({ name, path: join(folder, "engine") });
const credentials = { accessKeyId: "night", secretAccessKey: "night" };
await createTables(
  new DynamoDBClient({ endpoint, region: "eu-central-1", credentials }),
  declared.resources.Resources,
);
afterAll(async () => {
  await stop();
  removeFolder(folder);
});

function* createLines() {
  for (let n = 0; n < accounts; n++)
    yield `${JSON.stringify({ id: n, email: `user-${n}@night.example`, emailVerified: n % 2 === 0, roles: ["editor"] })}\n`;
}

test("a million accounts are imported in a heap of 64 MiB", async () => {
  const file = join(folder, "users.jsonl");
  await pipeline(Readable.from(createLines()), createWriteStream(file));
  const args = ["--max-old-space-size=64", "build/users/command.ts", "import", file, "--write"];
  const child = spawn(process.execPath, [...args, "--rate", "100000"], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...tableSettings, DYNAMODB_ENDPOINT: endpoint },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [told, [exitCode]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(JSON.parse(told)).toMatchObject({
    records: accounts,
    imported: accounts,
    refused: 0,
    goOnWith: null,
  });
  expect(exitCode).toBe(0);
}, 14_400_000);
