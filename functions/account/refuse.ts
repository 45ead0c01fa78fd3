import { AppError } from "../../lib/errors.ts";
import { api } from "../../lib/http/api.ts";

export const handler = api().handler(async () => {
  throw new AppError("registration_closed", {
    detail: "Nobody can register here. Ask the operator for an invitation.",
  });
});
