import { readConfig } from "../../lib/config.ts";
import { AppError } from "../../lib/errors.ts";
import { formApi } from "../../lib/http/form-api.ts";
import { seeOther } from "../../lib/http/response.ts";
import { createReturnUrl } from "../../lib/providers/return-url.ts";
import { identityProviders } from "../../lib/settings.ts";

const config = readConfig({ identityProviders });

export const handler = formApi().handler(({ pathParameters, body = new URLSearchParams() }) => {
  const provider = config.identityProviders.find(({ id }) => id === pathParameters.provider);
  if (provider?.page === undefined)
    throw new AppError("not_found", { detail: "There is no such provider, or it sends no form." });
  return seeOther(createReturnUrl(provider.page, body));
});
