import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readConfig } from "../../lib/config.ts";
import { fillSettings } from "../../lib/http/description.ts";
import type { ApiResponse } from "../../lib/http/response.ts";
import { cookieName, issuer, passwordMinLength } from "../../lib/settings.ts";
import { type RouteName, routes } from "./event.ts";

interface Answer {
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, object>;
}
type Found = { path: string[]; answer: Answer | undefined };

const file = ".local/test/bundles/functions/documents/openapi.openapi.json";
const settings = readConfig(
  { cookieName, passwordMinLength, issuer },
  { STAGE: "test", ISSUER: "https://abcdefghij.execute-api.eu-central-1.amazonaws.com" },
);

/** The API description as `GET /openapi.json` serves it where nothing is set. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at single members
export const description: any = JSON.parse(fillSettings(readFileSync(file, "utf8"), settings));

/** These answer several paths, and 404 or 405 to any other. */
const lookingAtPath: RouteName[] = ["openapi", "notFound"];
const unknownPath = { 404: "not_found", 405: "method_not_allowed" } as Record<number, string>;
/** Whatever invokes a function past the gateway with another method may be refused for that, or as another site. */
const otherMethod = { 403: "cross_site_request", 405: "method_not_allowed" } as Record<number, string>;

/** What the description says of every response, in its own words; and of files that a browser loads. */
const onEveryAnswer = [
  "cache-control",
  "content-security-policy",
  "referrer-policy",
  "strict-transport-security",
  "x-content-type-options",
];
const general = [
  ...onEveryAnswer,
  "content-type",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
];

/** What functions send; a client behind a proxy must not count on it. */
const cookieLine =
  /^[\w-]+=[^;\s]*; HttpOnly;(?: Secure;)? SameSite=(?:Strict|Lax|None); Path=\/; Max-Age=\d+(?:; Domain=[\w.-]+)?$/;

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
// Of addresses the description says no more than validators agree on: the package does not know this format.
ajv.addFormat("idn-email", true);
ajv.addSchema(close(structuredClone(description)), "description");
const validators = new Map<string, ValidateFunction>();

/** A validator of the schema at a place in the description; what an object may have is what it names. */
export function validatorAt(...path: string[]): ValidateFunction {
  const pointer = path.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
  const found = validators.get(pointer) ?? ajv.compile({ $ref: `description#/${encodeURI(pointer)}` });
  validators.set(pointer, found);
  return found;
}

/** Throws an Error that lists what a response has that the description of its route does not allow. */
export function assertDescribed(route: RouteName, event: unknown, response: ApiResponse): void {
  const isLooking = lookingAtPath.includes(route);
  const { routeKey, requestContext } = (event as Event) ?? {};
  const name = isLooking ? String(routeKey) : routes[route];
  // The files of pages are no part of the contract.
  if (route === "page" || /\.(css|svg)$/.test(name)) return;
  const { path, answer } = findAnswer(name, requestContext?.http?.method, response, isLooking);
  const faults = answer
    ? [...findHeaderFaults(answer, response), ...findBodyFaults(path, answer, response)]
    : ["is not described"];
  if (faults.length === 0) return;
  const { statusCode, body = "" } = response;
  throw new Error([`${name} ${statusCode} ${body.slice(0, 300)}`, ...faults].join("\n- "));
}

type Event = { routeKey?: unknown; requestContext?: { http?: { method?: unknown } } } | null;

function findAnswer(
  route: string,
  method: unknown,
  { statusCode: status, body = "" }: ApiResponse,
  isLooking: boolean,
): Found {
  const [ownMethod = "", at = ""] = route.split(" ");
  const isDescribed = method === ownMethod && description.paths[at];
  const code =
    (isLooking ? unknownPath[status] : undefined) ??
    (isDescribed || !body.includes(`"${otherMethod[status]}"`) ? undefined : otherMethod[status]);
  if (code)
    return { path: ["components", "responses", code], answer: description.components.responses[code] };
  const path = ["paths", at, ownMethod.toLowerCase(), "responses", String(status)];
  const answer = description.paths[at]?.[ownMethod.toLowerCase()]?.responses[status];
  const shared = answer?.$ref?.split("/").slice(1);
  return shared ? { path: shared, answer: description[shared[0]][shared[1]][shared[2]] } : { path, answer };
}

function findHeaderFaults(answer: Answer, { headers, cookies = [] }: ApiResponse): string[] {
  const described = Object.keys(answer.headers ?? {});
  const names = new Set(described.map((name) => name.toLowerCase()));
  const odd = Object.keys(headers).filter((name) => !general.includes(name) && !names.has(name));
  const values = (name: string) =>
    name === "Set-Cookie" ? cookies : [headers[name.toLowerCase()]].filter((value) => value !== undefined);
  const faulty = described.filter((name) => {
    const { required }: { required?: boolean } = description.components.headers[name];
    const isSound = validatorAt("components", "headers", name, "schema");
    const isRight = (value = "") => isSound(value) && (name !== "Set-Cookie" || cookieLine.test(value));
    return (required && values(name).length === 0) || !values(name).every(isRight);
  });
  return [
    ...odd.map((name) => `has a header ${name} that is not described`),
    ...onEveryAnswer.filter((name) => !headers[name]).map((name) => `has no ${name}`),
    ...faulty.map((name) => `lacks a sound ${name}`),
    ...(cookies.length > 0 && !names.has("set-cookie") ? ["sets a cookie"] : []),
    ...(headers["cache-control"] === "no-store" || names.has("cache-control") ? [] : ["may be cached"]),
  ];
}

function findBodyFaults(path: string[], answer: Answer, { headers, body }: ApiResponse): string[] {
  const [mediaType] = Object.keys(answer.content ?? {});
  const type = headers["content-type"];
  if (mediaType === undefined)
    return body === undefined && type === undefined ? [] : ["has a body, or calls it something"];
  if (type !== `${mediaType}; charset=utf-8`) return [`is ${type}`];
  const value = mediaType.endsWith("json") ? JSON.parse(body ?? "") : body;
  const isSound = validatorAt(...path, "content", mediaType, "schema");
  const faults = isSound(value) ? [] : [ajv.errorsText(isSound.errors, { dataVar: "body" })];
  return mediaType === "application/problem+json" ? [...faults, ...findProblemFaults(value)] : faults;
}

/** A problem says of itself what the catalogue says of its code. */
function findProblemFaults({ code, ...problem }: Record<string, unknown>): string[] {
  const example = description.components.examples[String(code)]?.value ?? {};
  return ["type", "title", "status"]
    .filter((name) => problem[name] !== example[name])
    .map((name) => `has another ${name} than ${code}`);
}

/** Whatever a response has beside what is described is a fault in tests, though clients must not mind it. */
function close<T>(node: T): T {
  if (typeof node !== "object" || node === null) return node;
  const schema = node as Record<string, unknown>;
  if (schema.type === "object" && schema.properties && !("additionalProperties" in schema))
    schema.additionalProperties = false;
  Object.values(schema).forEach(close);
  return node;
}
