import { authenticate } from "../../lib/http/authenticate.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { json } from "../../lib/http/response.ts";

export const handler = readOnlyApi()
  .use(await authenticate({ client: "own" }))
  .handler(({ auth }) => json(200, auth));
