import { api } from "../../lib/http/api.ts";
import { authenticate } from "../../lib/http/authenticate.ts";
import { json } from "../../lib/http/response.ts";

export const handler = api()
  .use(await authenticate())
  .handler(({ auth }) => json(200, auth));
