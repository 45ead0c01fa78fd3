import { readConfig } from "../../lib/config.ts";
import { AppError } from "../../lib/errors.ts";
import { api } from "../../lib/http/api.ts";
import { findMethods } from "../../lib/http/routes.ts";

const { routes } = readConfig(["routes"]);

export const handler = api().handler(({ rawPath }) => {
  const methods = findMethods(routes, rawPath);
  if (methods.length === 0) throw new AppError("not_found", { detail: "There is no such path." });
  const allow = methods.join(", ");
  throw new AppError("method_not_allowed", { detail: `This path takes ${allow}.`, headers: { allow } });
});
