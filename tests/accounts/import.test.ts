import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "@jest/globals";
import { toUserId } from "../../lib/auth/admin/import.ts";
import { expectProblem, refusals } from "../support/answer.ts";
import { clock } from "../support/clock.ts";
import { tableSettings } from "../support/declared.ts";
import { gather, hold } from "../support/faults.ts";
import { log } from "../support/log.ts";
import { run } from "../support/run.ts";
import { startService } from "../support/service.ts";

// `npm run users -- import`, with a small made-up export of each system, and the first login of whoever came with it.

const service = await startService();
const { sandbox, database, wire } = service;
const folder = mkdtempSync(join(tmpdir(), "import-"));
const password = "correct horse battery staple";
const exports = "tests/accounts/exports";

async function importFile(args: string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await run("build/users/command.ts", ["import", ...args], {
    ...tableSettings,
    DYNAMODB_ENDPOINT: database.endpoint,
    ...env,
  });
  const told = stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return { exitCode, stdout, stderr, told, summary: told.at(-1) };
}

/** Writes lines into a file, and gives its path. */
function toFile(lines: object[]): string {
  const path = join(folder, `${Math.random()}.jsonl`);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

const logIn = (email: string, typed = password) => sandbox.login({ body: { email, password: typed } });
const findEntry = (email: string) => database.find("identities", { identity: `email:${email}` });
const findUser = async (email: string) =>
  database.find("users", { userId: (await findEntry(email))?.userId });
const line = (name: string, more: object = {}) => ({ email: `${name}@lines.example`, ...more });

describe("a user moved from another system logs in once, and has argon2id", () => {
  test.each([
    ["auth0", "auth0.jsonl", /^\$2b\$/, toUserId("auth0", "60425dc43519d90068f82973")],
    ["firebase", "firebase.json", /^\$fbscrypt\$/, ""],
    ["supabase", "supabase.csv", /^\$2a\$/, "0b5c8a35-5e0a-4d7e-9a51-60a5d86d4b11"],
    ["better-auth", "better-auth.csv", /^\$scrypt\$/, ""],
    ["keycloak", "keycloak.json", /^\$pbkdf2-sha256\$i=27500\$/, "3c5c8a35-5e0a-4d7e-9a51-60a5d86d4b13"],
    ["django", "django.jsonl", /^\$pbkdf2-sha256\$i=20000\$/, ""],
    ["devise", "devise.csv", /^\$2a\$/, ""],
    ["canonical", "canonical.jsonl", /^\$argon2i\$/, "7f7b1c0e-6a4e-4a55-9d7b-2f0a1f3c9d01"],
  ])("%s", async (system, file, hash, userId) => {
    const args = [`${exports}/${file}`, "--from", system, "--firebase-hash", `${exports}/firebase-hash.txt`];
    const dry = await importFile(args);
    expect(dry.summary).toMatchObject({ dryRun: true, there: 0 });
    expect(dry.stderr).toContain("Nothing was written, and the tables were not looked at");
    const email = `ada@${system}.example`;
    expect(await findEntry(email)).toBeUndefined();
    const { summary } = await importFile([...args, "--write"]);
    expect(summary).toEqual({ ...dry.summary, dryRun: false });
    const user = await findUser(email);
    expect(user?.passwordHash).toMatch(hash);
    expect(user).not.toHaveProperty("lastChange");
    expect(user?.createdAt < clock.now).toBe(system !== "auth0");
    expect(user?.emailVerifiedAt !== undefined).toBe(system !== "django");
    if (userId) expect(user?.userId).toBe(userId);
    expectProblem(await logIn(email, `${password}!`), refusals.loginFailed);
    expect((await findUser(email))?.passwordHash).toMatch(hash);
    expect((await logIn(email)).statusCode).toBe(200);
    expect((await findUser(email))?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect((await logIn(email)).statusCode).toBe(200);
    if (system !== "devise") expectProblem(await logIn(`bob@${system}.example`), refusals.loginFailed);
  });
});

test("Cognito gives no passwords: its users come without, and whoever was disabled is so here", async () => {
  const { summary, exitCode } = await importFile([`${exports}/cognito.csv`, "--from", "cognito", "--write"]);
  expect(exitCode).toBe(0);
  expect(summary).toMatchObject({ imported: 2, withoutPassword: 2, refused: 0, goOnWith: null });
  expect(await findUser("ada@cognito.example")).toMatchObject({ emailVerifiedAt: clock.now });
  expect(await findUser("bob@cognito.example")).toMatchObject({ disabledAt: clock.now });
  expectProblem(await logIn("ada@cognito.example"), refusals.loginFailed);
});

test.each(["cognito", "keycloak"])("%s: nobody is disabled by what does not say so", async (from) => {
  const cells = ["", "TRUE", "false", "yes"];
  const path = join(folder, `enabled-${from}`);
  const rows = cells.map((enabled, index) => ({ email: `cell${index}@${from}.example`, enabled }));
  const csv = ["email,enabled", ...rows.map(({ email, enabled }) => `${email},${enabled}`)].join("\n");
  writeFileSync(path, from === "cognito" ? csv : JSON.stringify({ users: rows }));
  const { exitCode, told } = await importFile([path, "--from", from, "--write"]);
  expect([exitCode, told.at(0)]).toEqual([
    1,
    expect.objectContaining({ refused: expect.stringMatching(/^disabled: must be true or false/) }),
  ]);
  const disabled = await Promise.all(
    rows.slice(0, 3).map(async ({ email }) => (await findUser(email))?.disabledAt),
  );
  expect(disabled).toEqual([undefined, undefined, clock.now]);
});

test("U13 what is refused is told by its line and its reason, and no hash is quoted; a fast hash is left behind", async () => {
  const path = toFile([
    line("one", { passwordHash: "5f4dcc3b5aa765d61d8327deb882cf99" }),
    line("two", { passwordHash: "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" }),
    { email: "nobody" },
    line("four", { color: "red" }),
    line("five", {
      roles: ["r".repeat(64), "s".repeat(64), "t".repeat(64), "u".repeat(64), "v".repeat(64), "w".repeat(64)],
    }),
    line("six", { createdAt: "yesterday" }),
    line("seven", { name: "x".repeat(70_000) }),
    { emailVerified: true },
  ]);
  const { exitCode, stdout, told, summary } = await importFile([path]);
  expect(told.slice(0, -1)).toEqual([
    { line: 1, withoutPassword: expect.any(String) },
    { line: 2, withoutPassword: expect.any(String) },
    { line: 3, refused: "email: is no e-mail address of at most 254 bytes" },
    { line: 4, refused: "color is not known" },
    { line: 5, refused: expect.stringMatching(/^roles: .* 384 fit the cookie$/) },
    { line: 6, refused: "createdAt: is no time" },
    { line: 7, refused: "cannot be read" },
    { line: 8, refused: "email: is missing" },
  ]);
  expect([exitCode, summary]).toEqual([
    1,
    expect.objectContaining({ imported: 2, withoutPassword: 2, refused: 6 }),
  ]);
  expect(stdout).not.toMatch(/5f4dcc|\$2b/);
  expect((await importFile([toFile([{}])])).stderr).toBe("Nothing was written.\n");
});

test("U09 a line twice, and an account that is there: neither is doubled nor overwritten", async () => {
  const { email, userId } = await service.addAccount();
  const before = await database.find("users", { userId });
  const again = line("again", { id: 1 });
  const path = toFile([again, { email: email.toUpperCase(), id: 2 }, again, line("moved", { id: 1 })]);
  const { told, summary } = await importFile([path, "--write"]);
  expect(summary).toMatchObject({ imported: 1, there: 2, refused: 1 });
  expect(told.slice(0, -1).sort((a, b) => a.line - b.line)).toEqual([
    { line: 2, there: "its address is another account's, or kept for one that has left it" },
    { line: 4, refused: "id: its user id belongs to another address" },
  ]);
  expect(await database.find("users", { userId })).toEqual(before);
});

test("U09 an import that breaks off says where to go on, and repeated it imports the rest", async () => {
  const path = toFile(Array.from({ length: 30 }, (_, index) => line(`rest${index}`, { id: `rest${index}` })));
  const broken = await importFile([path, "--write", "--skip", "20"], { IDENTITIES_TABLE: "none" });
  expect([broken.exitCode, broken.summary]).toEqual([
    1,
    expect.objectContaining({ imported: 0, goOnWith: "--skip 20" }),
  ]);
  expect((await importFile([path, "--write", "--skip", "20"])).summary).toMatchObject({
    imported: 10,
    there: 0,
  });
  expect((await importFile([path, "--write"])).summary).toMatchObject({
    imported: 20,
    there: 10,
    goOnWith: null,
  });
});

test("U09 an import that Ctrl-C breaks off, which npm hands on once more, says where to go on", async () => {
  const path = toFile(
    Array.from({ length: 100 }, (_, index) => line(`stop${index}`, { id: `stop${index}` })),
  );
  const { fault, arrived, release } = hold("request");
  wire.break("TransactWriteItems", fault, { times: 100 });
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, ["build/users/command.ts", "import", path, "--write"], {
    env: { PATH, ...tableSettings, DYNAMODB_ENDPOINT: wire.endpoint },
  });
  const ended = Promise.all([text(child.stdout), once(child, "close")]);
  await arrived;
  child.kill("SIGINT");
  await once(child.stderr, "data");
  child.kill("SIGINT");
  await release();
  const [told, [exitCode]] = await ended;
  const { imported, goOnWith } = JSON.parse(told);
  expect([exitCode, goOnWith]).toEqual([1, `--skip ${imported}`]);
  expect((await importFile([path, "--write", ...goOnWith.split(" ")])).summary).toMatchObject({
    ...{ imported: 100 - imported, there: 0, goOnWith: null },
  });
});

test("U16 a mark before the text, empty lines and the line ends of other machines lose nothing", async () => {
  const [one, two] = [line("mark1"), line("mark2")].map((each) => JSON.stringify(each));
  const lines = join(folder, "mark.jsonl");
  writeFileSync(lines, `\uFEFF${one}\r\n\r\n \n${two}`);
  expect((await importFile([lines])).summary).toMatchObject({ imported: 2, refused: 0 });
  const rows = join(folder, "mark.csv");
  writeFileSync(rows, '\uFEFFid,email\r\n\n1,"one\n@rows.example"\n\r\n2,two\r\n3,three@rows.example\n\n');
  const { told } = await importFile([rows, "--from", "devise"]);
  expect(told).toEqual([
    { line: 3, refused: expect.stringMatching(/^email: /) },
    { line: 6, refused: expect.stringMatching(/^email: /) },
    expect.objectContaining({ records: 3, imported: 1, goOnWith: null }),
  ]);
});

test("U16 a row of CSV that cannot be read ends the import: it says so, and where to go on", async () => {
  const path = join(folder, "broken.csv");
  writeFileSync(
    path,
    "id,email\n11,one@broken.example\n\n12,two@broken.example,more\n13,three@broken.example\n",
  );
  const { exitCode, told } = await importFile([path, "--from", "devise", "--write"]);
  expect([exitCode, ...told]).toEqual([
    1,
    { line: 4, refused: "cannot be read, and so nothing after it was: mend it" },
    expect.objectContaining({ records: 2, imported: 1, refused: 1, goOnWith: "--skip 3" }),
  ]);
});

test("a file in which nothing is found, as of another system, is no success", async () => {
  const path = toFile([line("elsewhere")]);
  const { exitCode, stderr, summary } = await importFile([path, "--from", "keycloak", "--write"]);
  expect([exitCode, stderr]).toEqual([
    1,
    "There is no record in the file. Is it what --from keycloak reads?\n",
  ]);
  expect(summary).toMatchObject({ records: 0, goOnWith: null });
  expect((await importFile([path, "--skip", "1", "--write"])).exitCode).toBe(0);
});

test("W06 an import leaves one row, with the operator's name", async () => {
  const { stdout } = await run("build/users/command.ts", ["audit", "import"], {
    ...{ ...tableSettings, DYNAMODB_ENDPOINT: database.endpoint },
  });
  expect(JSON.parse(stdout.split("\n")[0] ?? "")).toMatchObject({
    ...{ event: "users_imported", by: expect.stringMatching(/^operator /) },
  });
});

test("W06 of a file that cannot be read nothing is noted", async () => {
  const list = () =>
    run("build/users/command.ts", ["audit", "import"], {
      ...{ ...tableSettings, DYNAMODB_ENDPOINT: database.endpoint },
    });
  const before = (await list()).stdout;
  const { exitCode, stderr } = await importFile([join(folder, "nowhere.jsonl"), "--write"]);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("no such file")]);
  expect((await list()).stdout).toBe(before);
});

describe("a foreign hash", () => {
  /** bcrypt of cost 4, of what crypt_blowfish calls "chars after 72 are ignored". */
  const seen = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const bcrypt = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";

  async function registerWith(passwordHash: string) {
    const account = await service.addAccount();
    await database.change("users", { userId: account.userId }, { passwordHash });
    return {
      ...account,
      findHash: async () => (await database.find("users", { userId: account.userId }))?.passwordHash,
    };
  }

  test("U11 of bcrypt with more than 72 bytes logs in as it did there, proves its user, and is not replaced", async () => {
    const { email, findHash } = await registerWith(bcrypt);
    const response = await logIn(email, `${seen} and a wrong tail`);
    expect(response.statusCode).toBe(200);
    expect(await findHash()).toBe(bcrypt);
    const cookies = (response.cookies ?? []).map((cookie) => cookie.split(";", 1)[0] ?? "");
    const body = { currentPassword: `${seen}!`, newPassword: "another sentence of mine" };
    expect((await sandbox.changePassword({ cookies, body })).statusCode).toBe(200);
    expect(await findHash()).toMatch(/^\$argon2id\$/);
  });

  test("U14 two logins at once: one hash anew, and both are in", async () => {
    const { email, findHash } = await registerWith(bcrypt);
    wire.break("UpdateItem users", gather(2), { times: 2 });
    const responses = await Promise.all([logIn(email, seen), logIn(email, seen)]);
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(await findHash()).toMatch(/^\$argon2id\$/);
    expect((await logIn(email, seen)).statusCode).toBe(200);
  });

  test("U13 that demands absurd work is a damaged item: 500, unrun", async () => {
    const { email, userId } = await registerWith(bcrypt.replace("$05$", "$31$"));
    expectProblem(await logIn(email, seen), refusals.internalError);
    expect(await database.sessionsOf(userId)).toEqual([]);
    expect(JSON.stringify(log.entries())).toContain("is damaged: passwordHash");
  });
});
