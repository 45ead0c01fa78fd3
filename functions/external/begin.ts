import { systemClock } from "../../lib/clock.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { beginFlow } from "../../lib/http/begin-flow.ts";
import { clientMode } from "../../lib/http/client-mode.ts";
import { flowCookies } from "../../lib/http/flow-cookie.ts";
import { cookieSettings, identityProviders } from "../../lib/settings.ts";

const config = readConfig({ ...cookieSettings, identityProviders });

export const handler = api()
  .use(clientMode(config))
  .use(flowCookies(config))
  .handler((event) => beginFlow(event, { config, now: systemClock() }));
