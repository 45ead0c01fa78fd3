import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test } from "@jest/globals";
import { type EngineName, parseEngineName, startEngine } from "../../local/engine.ts";
import { createFolder, removeFolder } from "../support/project.ts";

// The embedded engines of `npm start`; npm has the binary of dynoxide for some machines only.
const folder = createFolder();
afterAll(() => removeFolder(folder));

const engines: EngineName[] = [
  "dynalite",
  ...(existsSync("node_modules/@dynoxide") ? ["dynoxide" as const] : []),
];
const table = {
  TableName: "notes",
  KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
  AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
  BillingMode: "PAY_PER_REQUEST",
};

describe.each(engines)("%s", (name) => {
  test("keeps its tables in a folder, which two cannot share", async () => {
    const path = join(folder, name);
    const first = await startEngine({ name, path });
    await first.deliver("DynamoDB_20120810.CreateTable", JSON.stringify(table));
    await expect(startEngine({ name, path })).rejects.toThrow("choose another: LOCAL_DIR=<folder>");
    await first.stop();
    const second = await startEngine({ name, path });
    const { body } = await second.deliver("DynamoDB_20120810.ListTables", "{}");
    expect(JSON.parse(body)).toEqual({ TableNames: ["notes"] });
    await second.stop();
  });

  test("ends with the process that started it, however that ends", async () => {
    const path = join(folder, `${name}-killed`);
    const program = `
      import { startEngine } from "./local/engine.ts";
      await startEngine({ name: "${name}", path: ${JSON.stringify(path)} });
      console.log("started");`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program]);
    for await (const line of createInterface(child.stdout)) if (line === "started") child.kill("SIGKILL");
    // The folder is free as soon as the engine has gone.
    const next = () => startEngine({ name, path }).catch(() => undefined);
    let engine = await next();
    while (!engine) engine = await next();
    await engine.stop();
  });
});

test("an engine of another name is refused, with those that there are", () => {
  expect(parseEngineName()).toBe("dynalite");
  expect(() => parseEngineName("postgres")).toThrow("There are: dynalite, dynoxide");
});
