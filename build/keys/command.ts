import { readFileSync } from "node:fs";
import { systemClock } from "../../lib/clock.ts";
import { fail, readOptions, repeatStage } from "../command-line.ts";
import { openKeyFile } from "./file.ts";
import {
  KeyLifecycleError,
  type KeySet,
  promote,
  replaceAll,
  retire,
  rotate,
  type Step,
} from "./lifecycle.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { openKeySecret } from "./secret.ts";
import { type KeySetKind, type KeySetName, keySets } from "./sets.ts";
import { adviseNext, type Commands, describeKeys } from "./status.ts";
import { explainFailure, KeySetMovedError, type KeyStore } from "./store.ts";

/** What a command does to a key set. */
const steps: Record<
  Options["command"],
  (set: KeySet, options: Options, kind: KeySetKind) => Promise<Step> | Step
> = {
  status: (set) => ({ set, done: "" }),
  rotate: async (set, { alg, emergency }, kind) => {
    const key = await kind.generate(alg);
    return emergency ? replaceAll(key, systemClock()) : rotate(set, key);
  },
  promote: (set, _, kind) => promote(set, systemClock(), kind),
  retire: (set) => retire(set, systemClock()),
};

const options = readOptions(parseOptions, usage);
const isLocal = options.stage === undefined;
for (const name of options.sets) {
  const store = openStore(options, keySets[name]);
  const text = await run(name, store).catch((error) => failIn(name, store, error));
  console.log(options.sets.length > 1 ? `${store.name}\n${text}\n` : text);
}

async function run(name: KeySetName, store: KeyStore): Promise<string> {
  const commands = commandsOf(name);
  const seen = await store.find();
  if (!seen) {
    const { onlyWith } = store.kind;
    // Asked for all sets: one that the stage need not have is no trouble.
    if (onlyWith && options.sets.length > 1) return `There is none without ${onlyWith}.`;
    const next = onlyWith ? `set ${onlyWith}, then ${commands.create}` : commands.create;
    throw new KeyLifecycleError(`${store.name} does not exist yet. Next: ${next}`);
  }
  const { set, done } = await takeStep(seen.set, store.kind, commands);
  const isChanged = set !== seen.set;
  if (isChanged) await store.replace(seen, set);
  const advice = adviceAfter(isChanged, set, commands, store.kind);
  return [done, describeKeys(set, systemClock()), advice].filter(Boolean).join("\n\n");
}

async function takeStep(set: KeySet, kind: KeySetKind, commands: Commands): Promise<Step> {
  try {
    return await steps[options.command](set, options, kind);
  } catch (error) {
    if (!(error instanceof KeyLifecycleError)) throw error;
    throw new KeyLifecycleError(`${error.message}\n\n${adviseNext(set, systemClock(), commands)}`);
  }
}

function adviceAfter(isChanged: boolean, set: KeySet, commands: Commands, kind: KeySetKind): string {
  const { command, emergency } = options;
  const next = adviseNext(set, systemClock(), commands);
  if (emergency) return `${kind.emergencyEffect}\n\n${next}`;
  if (!isChanged || command === "rotate" || !commands.publish) return next;
  // A deployed stage reads what is active by itself; what verifies tokens is published.
  return command === "retire" || isLocal ? `Now: ${commands.publish}\n${next}` : next;
}

function commandsOf(name: KeySetName): Commands {
  const set = name === "signing" ? "" : ` --set ${name}`;
  const target = repeatStage(options);
  return isLocal
    ? {
        create: "npm start",
        publish: "npm start (end the running one first)",
        keys: (command) => `npm run keys -- ${command}${set}`,
      }
    : {
        create: `npx sls deploy${target}`,
        publish: name === "signing" ? `npx sls deploy${target}` : undefined,
        keys: (command) => `npm run keys -- ${command}${set}${target}`,
      };
}

function openStore({ stage, region }: Options, kind: KeySetKind): KeyStore {
  if (stage === undefined) return openKeyFile(process.env.LOCAL_DIR ?? ".local", kind);
  const [, service] = /^service: (\S+)$/m.exec(readFileSync("serverless.yml", "utf8")) ?? [];
  return openKeySecret({ secretId: `${service}-${stage}-${kind.secret}`, region }, kind);
}

function failIn(set: KeySetName, store: KeyStore, error: NodeJS.ErrnoException): never {
  if (error instanceof KeySetMovedError) {
    fail(`${store.name} was changed by somebody else meanwhile; nothing of theirs is lost, and nothing of this done.
Next: ${commandsOf(set).keys("status")}`);
  }
  return fail(error instanceof KeyLifecycleError ? error.message : explainFailure(store, error));
}
