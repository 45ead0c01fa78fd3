import { globSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listSettings } from "../lib/config.ts";
import type { Setting } from "../lib/settings.ts";
import { ownSettings } from "../own/settings.ts";
import { buildFunctions } from "./bundle.ts";
import { bundleAtOnce } from "./bundler.ts";
import { applySwitches, type OnlyWith, onlyWithSchema, readSwitches } from "./switches.ts";
import type { Resources } from "./template.ts";

/** An event of a function, as serverless.yml may have it. */
export type HttpApiEvent = string | { method: string; path: string };

/** What this plugin reads and writes of a Serverless. */
type Serverless = {
  config: { serviceDir: string };
  configSchemaHandler: { defineFunctionProperties: (provider: "aws", schema: object) => void };
  service: {
    functions: Functions;
    resources: { Resources: Resources };
    provider: {
      environment: Record<string, unknown>;
      httpApi: { cors?: { allowedMethods: string[] } | null };
    };
    custom: { extras: string };
  };
  pluginManager: { getPlugins(): object[] };
  classes: { Error: new (message: string, code?: string) => Error };
};
type Functions = Record<
  string,
  {
    events?: { httpApi?: HttpApiEvent }[];
    environment?: Record<string, string>;
    runtime?: string;
    onlyWith?: OnlyWith;
    package?: { patterns?: string[]; artifact?: string };
  }
>;

/** Serverless plugin, the first: completes serverless.yml with what follows from its parts. */
export default class ServicePlugin {
  readonly hooks: Record<string, () => void>;

  constructor({ config, configSchemaHandler, service, pluginManager, classes }: Serverless) {
    const count = { type: "integer", minimum: 1 };
    configSchemaHandler.defineFunctionProperties("aws", {
      properties: {
        throttling: {
          type: "object",
          properties: { rate: count, burst: count },
          required: ["rate", "burst"],
          additionalProperties: false,
        },
        onlyWith: onlyWithSchema,
      },
    });
    function applyOwnSwitches(): void {
      const { functions, resources } = service;
      try {
        const standing = readSwitches(process.env, service.custom);
        applySwitches({ functions, resources: resources.Resources }, standing);
      } catch (error) {
        throw new classes.Error((error as Error).message, "INVALID_OPTIONS");
      }
    }
    function preparePackaging(): void {
      const faults = findEmptyZips(service.functions, config.serviceDir);
      if (faults.length > 0) throw new classes.Error(faults.join("\n"), "INVALID_PACKAGE");
      // What a packaging that was broken off left there would get into every zip.
      const work = join(config.serviceDir, ".esbuild");
      rmSync(work, { recursive: true, force: true });
      // serverless-esbuild leaves a folder for each function among temporary files. Here they go with its own.
      process.env.TMPDIR = join(work, "temporary");
      mkdirSync(process.env.TMPDIR, { recursive: true });
      bundleAtOnce(pluginManager, (outdir, entryPoints) =>
        buildFunctions(outdir, entryPoints).catch(() => {
          throw new classes.Error("The functions do not build: see above.", "BUILD_FAILED");
        }),
      );
    }
    const { TMPDIR } = process.env;
    function endPackaging(): void {
      delete process.env.TMPDIR;
      if (TMPDIR) process.env.TMPDIR = TMPDIR;
    }

    this.hooks = {
      initialize() {
        applyOwnSwitches();
        const { functions, provider } = service;
        provider.environment = {
          ...provider.environment,
          ...listTables(service.resources.Resources),
          ...readShell(),
        };
        const routes = listRoutes(functions);
        for (const reader of [functions.notFound, functions.page])
          if (reader) reader.environment = { ...reader.environment, ROUTES: routes.join(",") };
        const { cors } = provider.httpApi;
        if (cors) cors.allowedMethods = methods.filter((method) => isTaken(method, routes));
      },
      "before:package:createDeploymentArtifacts": preparePackaging,
      "after:package:createDeploymentArtifacts": endPackaging,
      "before:deploy:function:packageFunction": preparePackaging,
      "after:deploy:function:packageFunction": endPackaging,
    };
  }
}

/** Functions in another language that name no file for their zip. Serverless would say so, too, and never end. */
function findEmptyZips(functions: Functions, cwd: string): string[] {
  return Object.entries(functions).flatMap(
    ([name, { runtime = "nodejs", package: { patterns = [], artifact } = {} }]) => {
      const isBundled = runtime.startsWith("nodejs");
      const isNamed =
        globSync(
          patterns.filter((pattern) => !pattern.startsWith("!")),
          { cwd },
        ).length > 0;
      if (isBundled || artifact || isNamed) return [];
      return [
        `${name}: name the files of its zip, package: { patterns: [...] }. None is there by default (docs/protect.md).`,
      ];
    },
  );
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];

const isTaken = (method: string, routes: string[]) =>
  routes.some((route) => route.startsWith(`${method} `) || route.startsWith("ANY "));

/** The routes of all functions but the one that takes every other request, like `GET /movies`. */
export function listRoutes(functions: Functions): string[] {
  const events = Object.values(functions).flatMap(({ events = [] }) => events);
  return events
    .flatMap(({ httpApi }) => (httpApi ? [toRoute(httpApi)] : []))
    .filter((route) => route !== "*")
    .sort();
}

/** `GET /movies`, from either form of an event; `ANY /movies` for every method, and `*` for every other request. */
export function toRoute(event: HttpApiEvent): string {
  const [method = "*", path = "*"] =
    typeof event === "string" ? event.split(" ") : [event.method, event.path];
  return path === "*" ? "*" : `${method === "*" ? "ANY" : method.toUpperCase()} ${path}`;
}

/** The logical ids of the functions that streams feed. */
export function listFed(functions: Record<string, { events?: object[] }>): string[] {
  return Object.entries(functions).flatMap(([name, { events = [] }]) =>
    events.some((event) => "stream" in event)
      ? `${name.slice(0, 1).toUpperCase()}${name.slice(1)}LambdaFunction`
      : [],
  );
}

/** The name of each table by the variable that functions read it from: `UsersTable` is in USERS_TABLE. */
export function listTables(
  resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>,
): Record<string, string> {
  const tables = Object.entries(resources).filter(([, { Type }]) => Type === "AWS::DynamoDB::Table");
  return Object.fromEntries(
    tables.map(([id, { Properties }]) => [
      id.replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase(),
      String(Properties?.TableName),
    ]),
  );
}

/**
 * The settings that the deploying shell, or that of `npm start`, hands to every function. Keys that nobody else may
 * have go a way of their own.
 */
function readShell(): Record<string, string> {
  const {
    jwtSigningKeys,
    jwtSigningKeysSecret,
    hashKeys,
    hashKeysSecret,
    codeKeys,
    codeKeysSecret,
    factorKeys,
    factorKeysSecret,
    providerKeys,
    providerKeysSecret,
    ...others
  } = listSettings();
  // One without a default has its place in serverless.yml, unless it is a team's own.
  const optional = Object.values<Setting<unknown>>(others).filter((setting) => "unset" in setting);
  return Object.fromEntries(
    [...optional, ...Object.values<Setting<unknown>>(ownSettings)].flatMap(({ variable }) => {
      const value = process.env[variable];
      return value ? [[variable, value]] : [];
    }),
  );
}
