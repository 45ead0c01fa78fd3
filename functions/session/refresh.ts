import { createRefresh } from "../../lib/auth/session/refresh.ts";
import { readConfig } from "../../lib/config.ts";
import { api } from "../../lib/http/api.ts";
import { parseClientKeys } from "../../lib/http/client-keys.ts";
import { clientMode, pairResponse, requirePair } from "../../lib/http/client-mode.ts";
import { answerUnproven, deviceMarker } from "../../lib/http/device-binding.ts";
import { note } from "../../lib/log.ts";
import { createRenewalOpening, renewalSettings } from "../../lib/renewal-opening.ts";

const config = readConfig(renewalSettings);
const refresh = createRefresh(await createRenewalOpening(config));

export const handler = api()
  .use(clientMode(config))
  .use(deviceMarker(config))
  .handler(async ({ headers, mode, presented, userAgent, sourceIp: ip, receivedAt, isMarked }) => {
    const keys = parseClientKeys(headers);
    try {
      const pair = await refresh({ ...requirePair(presented), ...keys, userAgent, ip, receivedAt });
      note({ event: "session_renewed" });
      return pairResponse(pair, mode, config);
    } catch (error) {
      return answerUnproven(error, { isMarked, headers }, config);
    }
  });
