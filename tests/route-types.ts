// Checked by tsc, not run: what a handler may use is what its checks have added.
import { api } from "../lib/http/api.ts";
import { authenticate } from "../lib/http/authenticate.ts";
import { requireRole } from "../lib/http/require-role.ts";
import { json } from "../lib/http/response.ts";

const authenticated = await authenticate();

api()
  .use(authenticated)
  .handler(({ auth }) =>
    json(200, { user: auth.sub satisfies string, since: auth.auth_time satisfies number }),
  );

// @ts-expect-error a handler that forgot authenticate has no claims
api().handler(({ auth }) => json(200, auth));

api()
  .use(authenticated)
  // @ts-expect-error claims are named, not guessed
  .handler(({ auth }) => json(200, auth.isAdmin));

api()
  .use(authenticated)
  .use(requireRole("admin"))
  .handler(({ auth }) => json(200, auth.roles));

// @ts-expect-error a role is checked after authenticate, not without it
api().use(requireRole("admin"));
