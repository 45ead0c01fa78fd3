import { readConfig } from "../../lib/config.ts";
import { AppError } from "../../lib/errors.ts";
import { api } from "../../lib/http/api.ts";
import { findMethods } from "../../lib/http/routes.ts";
import { routes } from "../../lib/settings.ts";

const config = readConfig({ routes });

// Whatever comes, and from wherever: it is not here.
export const handler = api({ crossSite: "let in", body: "not read" }).handler(({ rawPath }) => {
  const methods = findMethods(config.routes, rawPath);
  if (methods.length === 0) throw new AppError("not_found", { detail: "There is no such path." });
  const allow = methods.join(", ");
  throw new AppError("method_not_allowed", { detail: `This path takes ${allow}.`, headers: { allow } });
});
