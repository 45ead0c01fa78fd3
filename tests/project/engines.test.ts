import { spawn } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
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

/** How the process is called that has this folder's tables open. */
function findCommand(path: string): string[] {
  const commands = globSync("/proc/*/cmdline").map((file) => {
    try {
      return readFileSync(file, "utf8").split("\0");
    } catch {
      return []; // It has ended.
    }
  });
  return commands.find((args) => args[1] === "serve" && args.includes(`${path}/tables.db`)) ?? [];
}

// The binary answers any page of the web (`Access-Control-Allow-Origin: *`), whatever stands in front of it.
(engines.includes("dynoxide") ? test : test.skip)(
  "dynoxide itself listens where no page looks: at one of 16 million addresses of this machine",
  async () => {
    const hosts = new Set<string | undefined>();
    for (const path of ["one", "two"].map((name) => join(folder, name))) {
      const engine = await startEngine({ name: "dynoxide", path });
      const args = findCommand(path);
      const [host, port] = ["--host", "--port"].map((name) => args[args.indexOf(name) + 1]);
      await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow("fetch failed");
      hosts.add(host);
      await engine.stop();
    }
    expect([...hosts]).toEqual(Array(2).fill(expect.stringMatching(/^127(\.\d+){3}$/)));
  },
);

test("an engine of another name is refused, with those that there are", () => {
  expect(parseEngineName()).toBe("dynalite");
  expect(() => parseEngineName("postgres")).toThrow("There are: dynalite, dynoxide");
});
