import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Bundler, bundleAtOnce } from "../build/bundler.ts";
import { listNeededSettings, readConfig } from "../lib/config.ts";
import {
  codeKeys,
  dynamodbEndpoint,
  factorKeys,
  hashKeys,
  jwtSigningKeys,
  providerKeys,
} from "../lib/settings.ts";
import { createBuild } from "./build.ts";
import { answerCors, type Cors, programsOnly, putDoors } from "./doors.ts";
import { invoke, runFeed } from "./feeds.ts";
import { answerEveryCall, reloadBy } from "./reload.ts";
import { listFeeds, type StreamEvent } from "./stream-consumer.ts";
import { createTables, type Resources } from "./tables.ts";
import { deliverTo } from "./wire.ts";

/** What this plugin reads of a resolved serverless.yml. */
type Service = {
  package: { patterns?: string[] };
  provider: { environment: Environment; httpApi: { cors?: Cors | null } };
  functions: Record<
    string,
    { name: string; handler: string; environment?: Environment; events?: { stream?: StreamEvent }[] }
  >;
  resources: { Resources: Resources };
  custom: { "serverless-offline": { httpPort: string; lambdaPort: string } };
};
type Environment = Record<string, string | null>;
type PluginManager = { getPlugins(): object[]; spawn(command: string): Promise<unknown> };

/** Serverless plugin: what serverless-offline needs around it when `npm start` runs it. */
export default class OfflinePlugin {
  readonly hooks: Record<string, () => Promise<void> | void>;

  constructor({ service, pluginManager }: { service: Service; pluginManager: PluginManager }) {
    const { log } = console;
    const { httpPort, lambdaPort } = service.custom["serverless-offline"];
    const build = createBuild();
    let bundler: Bundler;
    let isReady = false;
    this.hooks = {
      "before:offline:start:init": async () => {
        // The channel closes when `npm start` ends, however it ends: nothing is left running
        process.once("disconnect", () => process.exit());
        if (process.connected === false) process.exit();
        // Nothing is zipped here, and of what is left out of zips serverless-esbuild would watch nothing
        service.package.patterns = [];
        await prepare(service).catch(fail);
        bundler = bundleAtOnce(pluginManager, (...files) =>
          build(...files).catch((error) => {
            if (!("errors" in error)) console.error(error); // esbuild prints its own
            // Else it would hang at a build error, and not say so. What a later save breaks, the next one mends.
            if (!isReady) fail(new Error("The functions do not build: see above."));
          }),
        );
        putDoors({
          [Number(httpPort)]: answerCors(service.provider.httpApi.cors),
          [Number(lambdaPort)]: programsOnly,
        });
        console.log = () => {}; // serverless-offline's table of routes; handlers have consoles of their own
      },
      "after:offline:start:init": async () => {
        console.log = log;
        isReady = true;
        await reloadSafely(service, bundler, pluginManager);
        feedFunctions(service);
        process.send?.("ready");
      },
    };
  }
}

/** Checks the settings and makes the tables, before anything is served. */
async function prepare({ provider, functions, resources }: Service): Promise<void> {
  for (const { environment } of Object.values(functions)) if (environment) useOwnKeys(environment);
  const environments = [provider, ...Object.values(functions)].map(({ environment = {} }) => environment);
  environments.forEach(dropUnset);
  const all = Object.assign({}, ...environments);
  const { dynamodbEndpoint: endpoint } = readConfig({ ...listNeededSettings(all), dynamodbEndpoint }, all);
  if (!endpoint) throw new Error("DYNAMODB_ENDPOINT is missing. `npm start` brings its own.");
  await createTables(new DynamoDBClient({ endpoint }), resources.Resources).catch((error: Error) => {
    throw new Error(
      `The tables cannot be made on DYNAMODB_ENDPOINT ${endpoint}: ${error.message || error.name}`,
    );
  });
}

function fail({ message }: Error): never {
  console.error(message);
  process.exit(1);
}

/** Has what is saved reloaded, and every request answered meanwhile. */
async function reloadSafely(
  { functions }: Service,
  bundler: Bundler,
  pluginManager: PluginManager,
): Promise<void> {
  const { settled } = reloadBy(bundler, () => pluginManager.spawn("offline:functionsUpdated"));
  const { default: Lambda } = await import("serverless-offline/lambda");
  const nameOf = (key: string) => functions[key]?.handler.replace(/\.\w+$/, ".ts") ?? key;
  answerEveryCall(Lambda.prototype, { settled, nameOf });
}

/** Hands the functions that are fed by a stream what comes into it, until this process ends. */
function feedFunctions({ functions, resources, custom }: Service): void {
  const { DYNAMODB_ENDPOINT = "", AWS_ACCESS_KEY_ID, AWS_REGION } = process.env;
  const deliver = deliverTo(DYNAMODB_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_REGION);
  const { lambdaPort } = custom["serverless-offline"];
  for (const feed of listFeeds(functions, resources.Resources)) {
    const { name } = functions[feed.functionName] as { name: string };
    runFeed(feed, deliver, (event) => invoke(lambdaPort, name, event), console.error);
  }
}

/** Only here do keys stand in the environment that nobody else may have: nothing but a local run puts them there. */
function useOwnKeys(environment: Environment): void {
  for (const { variable } of [jwtSigningKeys, hashKeys, codeKeys, factorKeys, providerKeys]) {
    if (!(`${variable}_SECRET` in environment)) continue;
    delete environment[`${variable}_SECRET`];
    environment[variable] = process.env[variable] ?? null;
  }
}

/** Packaging leaves out variables that are null; serverless-offline would hand on the text "null". */
function dropUnset(environment: Environment): void {
  for (const [name, value] of Object.entries(environment)) if (value === null) delete environment[name];
}
