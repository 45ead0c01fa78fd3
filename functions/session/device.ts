import { createProveDevice } from "../../lib/auth/session/device.ts";
import { readConfig } from "../../lib/config.ts";
import { createDeviceChallenges } from "../../lib/device-binding/challenge.ts";
import { api } from "../../lib/http/api.ts";
import { requirePair } from "../../lib/http/client-mode.ts";
import { serializeAuthCookie } from "../../lib/http/cookies.ts";
import { createInstructions, deviceProof, serializeMarker } from "../../lib/http/device-binding.ts";
import { json, noContent } from "../../lib/http/response.ts";
import { note } from "../../lib/log.ts";
import { createRenewalOpening, renewalSettings } from "../../lib/renewal-opening.ts";
import { allowedOrigins } from "../../lib/settings.ts";

const config = readConfig({ ...renewalSettings, allowedOrigins });
const opening = await createRenewalOpening(config);
const { bind, renew } = createProveDevice({
  ...opening,
  challenges: createDeviceChallenges(opening.keyedHash, { ...opening, ...config }),
});
const instructions = createInstructions(config);

export const handler = api()
  .use(deviceProof(config))
  .handler(async ({ presented, proof, isBound, userAgent, sourceIp: ip, receivedAt }) => {
    const request = { ...requirePair(presented), userAgent, ip, receivedAt };
    if (!isBound) {
      const { headers, expiresInSeconds } = await bind(request, proof);
      note({ event: "authn_device_bound" });
      const response = json(200, instructions, [serializeMarker({ expiresInSeconds }, config)]);
      return { ...response, headers: { ...response.headers, ...headers } };
    }
    const { pair, headers } = await renew(request, proof);
    note({ event: "session_renewed" });
    const response = noContent([serializeAuthCookie(pair, config), serializeMarker(pair, config)]);
    return { ...response, headers: { ...response.headers, ...headers } };
  });
