import style from "static:../../page/page.css";
import html from "static:../../page/page.html";
import icon from "static:../../page/page.svg";
import script from "static:../../page/page.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { serveStatic } from "../../lib/http/static-files.ts";

export const handler = readOnlyApi().handler(
  serveStatic({
    "/": { type: "text/html", text: html },
    "/page.css": { type: "text/css", text: style },
    "/page.js": { type: "text/javascript", text: script },
    "/page.svg": { type: "image/svg+xml", text: icon },
  }),
);
