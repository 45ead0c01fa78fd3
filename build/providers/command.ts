import { text } from "node:stream/consumers";
import { readConfig } from "../../lib/config.ts";
import { identityProviders } from "../../lib/settings.ts";
import { fail, readOptions, repeatStage, toLine } from "../command-line.ts";
import { checkProvider } from "./check.ts";
import { showProvider } from "./discovery.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { openProviderSecrets, parseSecrets, putSecret, readSecrets, toProviderKey } from "./secrets.ts";

/** What each command does; false: something is to be mended. */
const commands: Record<Options["command"], (options: Options) => Promise<boolean>> = {
  async show({ target, id }) {
    const { entry, remarks } = await showProvider(target, id);
    for (const remark of remarks) console.error(remark);
    console.log(toLine(entry));
    return true;
  },

  async secret(options) {
    const { target: id, remove } = options;
    const configured = process.env.IDENTITY_PROVIDERS ? readProviders(options) : [];
    if (!remove && configured.length > 0 && !configured.some((each) => each.id === id))
      throw new Error(
        `IDENTITY_PROVIDERS has no provider ${id}: ${configured.map((each) => each.id).join(", ")}.`,
      );
    const store = openProviderSecrets(options);
    if (!remove && process.stdin.isTTY) console.error("The secret, and then Ctrl-D:");
    const key = remove ? undefined : toProviderKey(await text(process.stdin), options);
    const providers = await putSecret(store, id, key);
    console.log(toLine({ provider: id, is: remove ? "removed" : "stored", in: store.name, providers }));
    return true;
  },

  async check(options) {
    const { PROVIDER_KEYS: given } = process.env;
    const entries =
      options.stage === undefined && given
        ? parseSecrets("PROVIDER_KEYS", given)
        : (await readSecrets(openProviderSecrets(options))).entries;
    const stage = repeatStage(options);
    const checked = await Promise.all(
      readProviders(options).map((provider) => checkProvider(provider, entries[provider.id], stage)),
    );
    for (const each of checked) console.log(toLine(each));
    return checked.every(({ is }) => is === "ready");
  },
};

/** The setting of this shell. Throws Error that lists what is wrong with it. */
function readProviders({ stage = "dev" }: Options) {
  if (!process.env.IDENTITY_PROVIDERS)
    throw new Error("IDENTITY_PROVIDERS is not set in this shell. For a stage: . ./prod.env");
  return readConfig({ identityProviders }, { ...process.env, STAGE: stage }).identityProviders;
}

const options = readOptions(parseOptions, usage);
try {
  process.exitCode = (await commands[options.command](options)) ? 0 : 1;
} catch (error) {
  const { name, message, code } = error as NodeJS.ErrnoException;
  fail(name === "Error" || name === "TypeError" ? message : `${name}: ${message || code}`);
}
