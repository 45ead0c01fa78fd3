import style from "static:../../page/page.css";
import html from "static:../../page/page.html";
import icon from "static:../../page/page.svg";
import script from "static:../../page/page.ts";
import { readConfig } from "../../lib/config.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { serveStatic } from "../../lib/http/static-files.ts";
import { passwordMinLength, registration, routes, sesEndpoint } from "../../lib/settings.ts";

const config = readConfig({ routes, registration, sesEndpoint, passwordMinLength });
/** What the page shows depends on what is deployed; a route that refuses everybody is none. */
const names = config.routes
  .map(({ method, path }) => `${method} ${path}`)
  .filter((name) => config.registration !== "closed" || name !== "POST /auth/register");
const deployed = [
  `data-routes="${names}"`,
  `data-password-min="${config.passwordMinLength}"`,
  ...(config.sesEndpoint ? ["data-mailbox"] : []),
].join(" ");

const page = html.replace("<html", `<html ${deployed}`);

export const handler = readOnlyApi().handler(
  serveStatic({
    "/": { type: "text/html", text: page },
    // Where providers return to: the same page, a level below.
    "/signed-in/{provider}": { type: "text/html", text: page.replace(/(?<=(src|href)=")(?=\w)/g, "../") },
    "/page.css": { type: "text/css", text: style },
    "/page.js": { type: "text/javascript", text: script },
    "/page.svg": { type: "image/svg+xml", text: icon },
  }),
);
