import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import JSZip from "jszip";
import { copyProject } from "./project.ts";
import { sls } from "./sls.ts";

// biome-ignore lint/suspicious/noExplicitAny: every type of resource has properties of its own
type Properties = any;

export interface Resource {
  Type: string;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  Properties: Properties;
}

/** What `sls package` made of the project for one stage. */
export interface Package {
  folder: string;
  stage: string;
  resources: Record<string, Resource>;
}

/** Packages a copy of the project, without credentials and with no settings but the given ones. */
export async function packageStage(
  stage: string,
  env: Record<string, string> = {},
  folder = copyProject(),
): Promise<Package> {
  // What a packaging that was broken off has left behind
  mkdirSync(join(folder, ".esbuild/.build/functions"), { recursive: true });
  writeFileSync(join(folder, ".esbuild/.build/functions/gone.mjs"), "");
  await sls(["package", "--stage", stage], { cwd: folder, env });
  const template = join(folder, ".serverless/cloudformation-template-update-stack.json");
  return { folder, stage, resources: JSON.parse(readFileSync(template, "utf8")).Resources };
}

export function propertiesOf({ resources }: Package, type: string): Properties[] {
  return Object.values(resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []));
}

/** The functions by their name in serverless.yml. */
export function functionsOf(packaged: Package): Record<string, Properties> {
  const prefix = `serverless-auth-api-${packaged.stage}-`;
  const functions = propertiesOf(packaged, "AWS::Lambda::Function");
  return Object.fromEntries(functions.map((found) => [found.FunctionName.replace(prefix, ""), found]));
}

export function environmentOf(packaged: Package, name: string): Record<string, Properties> {
  return functionsOf(packaged)[name].Environment.Variables;
}

/** What a function's role allows: pairs of action and resource. Throws if anything but inline `Allow` grants it, or on a condition that is not among the given ones. */
export function permissionsOf(packaged: Package, name: string, conditions: object[] = []) {
  const role = packaged.resources[roleOf(packaged, name)]?.Properties;
  if (role.ManagedPolicyArns?.length > 0) throw new TypeError(`${name} has managed policies`);
  const statements: Properties[] = role.Policies.flatMap(
    ({ PolicyDocument }: Properties) => PolicyDocument.Statement,
  );
  return statements.flatMap(({ Effect, Action, Resource, Condition, ...others }) => {
    const isConditionKnown =
      Condition === undefined || conditions.some((known) => isDeepStrictEqual(known, Condition));
    if (Effect !== "Allow" || !isConditionKnown || Object.keys(others).length > 0)
      throw new TypeError(`${name} has an odd statement`);
    const resources: unknown[] = [Resource].flat();
    const actions: string[] = [Action].flat();
    return actions.flatMap((action) => resources.map((resource) => [action, resource] as const));
  });
}

export function roleOf(packaged: Package, name: string): string {
  return functionsOf(packaged)[name].Role["Fn::GetAtt"][0];
}

/** Unpacks a function's zip to a folder and returns the names of the files in it. */
export async function unpack({ folder }: Package, name: string, target: string): Promise<string[]> {
  const { files } = await JSZip.loadAsync(readFileSync(join(folder, `.serverless/${name}.zip`)));
  const entries = Object.values(files).filter(({ dir }) => !dir);
  for (const entry of entries) {
    const path = join(target, entry.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await entry.async("nodebuffer"));
  }
  return entries.map((entry) => entry.name).sort();
}
