import { readConfig } from "../../lib/config.ts";
import { AppError } from "../../lib/errors.ts";
import { api } from "../../lib/http/api.ts";
import { findMethods } from "../../lib/http/routes.ts";
import { issuer, routes } from "../../lib/settings.ts";

const config = readConfig({ routes, issuer });
/** What stands before the paths of all routes: the key of an API mapping. */
const prefix = new URL(config.issuer).pathname.replace(/\/$/, "");

// Whatever comes, and from wherever: it is not here.
export const handler = api({ crossSite: "let in", body: "not read" }).handler(({ rawPath }) => {
  const path = rawPath.startsWith(`${prefix}/`) ? rawPath.slice(prefix.length) : rawPath;
  const methods = findMethods(config.routes, path);
  if (methods.length === 0) throw new AppError("not_found", { detail: "There is no such path." });
  const allow = methods.join(", ");
  throw new AppError("method_not_allowed", { detail: `This path takes ${allow}.`, headers: { allow } });
});
