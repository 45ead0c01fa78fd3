import style from "static:../../openapi/docs.css";
import icon from "static:../../page/page.svg";
import page from "data-file:docs.html";
import document from "data-file:openapi.json";
import { readFileSync } from "node:fs";
import { readConfig } from "../../lib/config.ts";
import { fillSettings } from "../../lib/http/description.ts";
import { readOnlyApi } from "../../lib/http/read-only-api.ts";
import { serveStatic } from "../../lib/http/static-files.ts";
import { cookieName, issuer, passwordMinLength } from "../../lib/settings.ts";

const settings = readConfig({ cookieName, passwordMinLength, issuer });
const read = (file: URL) => fillSettings(readFileSync(file, "utf8"), settings);

export const handler = readOnlyApi().handler(
  serveStatic({
    "/openapi.json": { type: "application/json", text: read(document) },
    "/docs": { type: "text/html", text: read(page) },
    "/docs.css": { type: "text/css", text: style },
    "/docs.svg": { type: "image/svg+xml", text: icon },
  }),
);
