import { readFileSync } from "node:fs";
import { systemClock } from "../../lib/clock.ts";
import { openKeyFile } from "./file.ts";
import { generateKey } from "./generate.ts";
import {
  KeyLifecycleError,
  type KeySet,
  promote,
  replaceAll,
  retire,
  rotate,
  type Step,
} from "./lifecycle.ts";
import { defaultRegion, type Options, parseOptions, usage } from "./options.ts";
import { openSigningKeysSecret } from "./secret.ts";
import { adviseNext, type Commands, describeKeys } from "./status.ts";
import { KeySetMovedError, type KeyStore } from "./store.ts";

const emergencyEffect = `What this does: every access token and every cookie that an old key has signed is refused as soon as this is
published; a refresh refuses them too, so everybody logs in again. Until it is published, verifiers accept the old keys
still, and login and refresh may answer 503, because nobody could verify the new key.
Raise SESSIONS_NOT_BEFORE to the present time as well: sessions that were opened with a forged token are over then.`;

/** What a command does to a key set. */
const steps: Record<Options["command"], (set: KeySet, options: Options) => Promise<Step> | Step> = {
  status: (set) => ({ set, done: "" }),
  rotate: async (set, { alg, emergency }) => {
    const key = await generateKey(alg);
    return emergency ? replaceAll(key, systemClock()) : rotate(set, key);
  },
  promote: (set) => promote(set, systemClock()),
  retire: (set) => retire(set, systemClock()),
};

const options = readOptions();
const isLocal = options.stage === undefined;
const store = openStore(options);
try {
  console.log(await run(options, store));
} catch (error) {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (error instanceof KeySetMovedError) {
    fail(`${store.name} was changed by somebody else meanwhile; nothing of theirs is lost, and nothing of this done.
Next: ${commandsOf(options).keys("status")}`);
  }
  fail(
    error instanceof KeyLifecycleError || name === "Error"
      ? message
      : `${store.name}: ${name}: ${message || code}`,
  );
}

async function run(options: Options, store: KeyStore): Promise<string> {
  const commands = commandsOf(options);
  const seen = await store.find();
  if (!seen) throw new KeyLifecycleError(`${store.name} does not exist yet. Next: ${commands.create}`);
  const { set, done } = await takeStep(seen.set, options, commands);
  const isChanged = set !== seen.set;
  if (isChanged) await store.replace(seen, set);
  const advice = adviceAfter(options, isChanged, set, commands);
  return [done, describeKeys(set, systemClock()), advice].filter(Boolean).join("\n\n");
}

async function takeStep(set: KeySet, options: Options, commands: Commands): Promise<Step> {
  try {
    return await steps[options.command](set, options);
  } catch (error) {
    if (!(error instanceof KeyLifecycleError)) throw error;
    throw new KeyLifecycleError(`${error.message}\n\n${adviseNext(set, systemClock(), commands)}`);
  }
}

function adviceAfter(
  { command, emergency }: Options,
  isChanged: boolean,
  set: KeySet,
  commands: Commands,
): string {
  const next = adviseNext(set, systemClock(), commands);
  if (emergency) return `${emergencyEffect}\n\n${next}`;
  if (!isChanged || command === "rotate") return next;
  // A deployed stage reads what signs by itself; what verifies is published.
  return command === "retire" || isLocal ? `Now: ${commands.publish}\n${next}` : next;
}

function commandsOf({ stage, region }: Options): Commands {
  const target = `--stage ${stage}${region === defaultRegion() ? "" : ` --region ${region}`}`;
  return isLocal
    ? {
        create: "npm start",
        publish: "npm start (end the running one first)",
        keys: (command) => `npm run keys -- ${command}`,
      }
    : {
        create: `npx sls deploy ${target}`,
        publish: `npx sls deploy ${target}`,
        keys: (command) => `npm run keys -- ${command} ${target}`,
      };
}

function openStore({ stage, region }: Options): KeyStore {
  if (stage === undefined) return openKeyFile(`${process.env.LOCAL_DIR ?? ".local"}/keys.json`);
  const [, service] = /^service: (\S+)$/m.exec(readFileSync("serverless.yml", "utf8")) ?? [];
  return openSigningKeysSecret({ secretId: `${service}-${stage}-signing-keys`, region });
}

function readOptions(): Options {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseOptions(args);
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`, 2);
  }
}

function fail(text: string, exitCode = 1): never {
  console.error(text);
  process.exit(exitCode);
}
