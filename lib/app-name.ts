import type { Config } from "./config.ts";
import { appName, issuer } from "./settings.ts";

/** What the name of the application is made of. */
export const appNameSettings = { appName, issuer };

/** What authenticator apps and the dialogs of browsers call the application. */
export const findAppName = ({ appName, issuer }: Config<"appName" | "issuer">): string =>
  appName ?? new URL(issuer).host;
