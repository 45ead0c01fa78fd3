import { ownSettings } from "../own/settings.ts";
import type { Setting } from "./settings.ts";
import * as definitions from "./settings.ts";

type Settings = typeof definitions;

/** The names of all settings. */
export type SettingName = {
  [Name in keyof Settings]: Settings[Name] extends Setting<infer _> ? Name : never;
}[keyof Settings];

type Value<S> = S extends { parse: (text: string) => infer T } ? T : never;

/** The values of the settings that a function asked for. */
export type Config<Name extends SettingName> = { [N in Name]: Value<Settings[N]> };

/** All settings by their names, but for those of own/settings.ts; for what checks and documents them. */
export function listSettings(): Pick<Settings, SettingName> {
  const isSetting = ([, value]: [string, unknown]) => (value as { variable?: string }).variable !== undefined;
  return Object.fromEntries(Object.entries(definitions).filter(isSetting)) as never;
}

/**
 * The settings that a deployment with these variables needs: what only mail, passkeys or providers need, where those are on; and
 * those of own/settings.ts.
 */
export function listNeededSettings(environment: Record<string, unknown>): Record<string, Setting<unknown>> {
  const ofMail = new Set<unknown>(Object.values(definitions.settingsOfMail));
  const ofProviders = new Set<unknown>(Object.values(definitions.settingsOfProviders));
  const isNeeded = (setting: Setting<unknown>) =>
    (environment.MAIL_FROM || !ofMail.has(setting)) &&
    (environment.IDENTITY_PROVIDERS || !ofProviders.has(setting)) &&
    (environment.PASSKEY_RP_ID || setting !== definitions.passkeyRpId);
  const settings = Object.entries<Setting<unknown>>({ ...listSettings(), ...ownSettings });
  return Object.fromEntries(settings.filter(([, setting]) => isNeeded(setting)));
}

/**
 * Reads the given settings, and the stage in any case, and refuses to start on the first look: throws an Error whose
 * message lists every problem, one a line. An empty variable counts as unset. No message quotes a secret.
 */
export function readConfig<const Named extends Record<string, Setting<unknown>>>(
  named: Named,
  environment: Record<string, string | undefined> = process.env,
): { [Name in keyof Named]: Value<Named[Name]> } & Config<"stage"> {
  const faults: string[] = [];
  const values = new Map<Setting<unknown>, unknown>();
  const asked = { stage: definitions.stage, ...named };
  for (const setting of new Set<Setting<unknown>>(Object.values(asked))) {
    const text = environment[setting.variable] || undefined;
    try {
      if (text === undefined && !("unset" in setting)) throw new TypeError("is missing");
      values.set(setting, text === undefined ? setting.unset : setting.parse(text));
    } catch (error) {
      faults.push(`${setting.variable} ${(error as TypeError).message}`);
    }
  }
  const toValues = (settings: Record<string, Setting<unknown>>) =>
    Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, values.get(setting)]));
  for (const [{ rules }, own] of values) {
    for (const { needs, fault } of rules) {
      const isKnown = Object.values(needs).every((needed) => values.has(needed));
      const found = isKnown && fault(own as never, toValues(needs) as never);
      if (found) faults.push(found);
    }
  }
  if (faults.length > 0)
    throw new Error(`The configuration is not valid:\n${faults.map((fault) => `- ${fault}`).join("\n")}`);
  return toValues(asked) as never;
}
