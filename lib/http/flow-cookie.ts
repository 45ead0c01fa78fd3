import { type Flow, flowNameOf, flowSeconds, isFlowName, stateOf } from "../providers/flow.ts";
import { type CookieSettings, findCookie, listCookieNames, serializeCookie } from "./cookies.ts";
import { addHidden } from "./event.ts";
import type { Middleware } from "./route.ts";

/** Each tab has one; the older ones of a browser that begins and begins go. */
const maxFlows = 3;
/** The gateway sends no more than some kilobytes of headers; the next sign-in that begins clears the next ones. */
const maxCleared = 20;

/** What `flowCookies` adds to the event; hidden from logs. */
export interface FlowEvent {
  /** The sign-ins at providers that this browser has begun: their texts, by the names of their cookies. */
  flows: ReadonlyMap<string, string>;
}

const prefixOf = (cookieName: string): string => `${cookieName}-flow-`;

/** Finds the cookies of sign-ins at providers: names of ours alone, since they are sent back. Of one name with two values none is ours. */
export function flowCookies({ cookieName }: Pick<CookieSettings, "cookieName">): Middleware<FlowEvent> {
  return {
    before({ event, credentials }) {
      const { cookies } = credentials;
      const prefix = prefixOf(cookieName);
      const names = listCookieNames(cookies, prefix).filter((name) => isFlowName(name.slice(prefix.length)));
      const flows = names.map((name) => {
        const [value = "", ...others] = findCookie(cookies, name);
        return [name, others.length > 0 ? "" : value] as const;
      });
      addHidden(event, "flows", new Map(flows));
    },
  };
}

/** The name of the cookie of a flow, by its state. */
export const flowCookieName = (state: string, { cookieName }: Pick<CookieSettings, "cookieName">): string =>
  `${prefixOf(cookieName)}${flowNameOf(state)}`;

/** The Set-Cookie lines of a flow that begins: the attributes of the auth cookie. Where there are too many, the others go. */
export function serializeFlowCookies(
  flow: Flow,
  flows: FlowEvent["flows"],
  settings: CookieSettings,
): string[] {
  const name = flowCookieName(stateOf(flow), settings);
  const gone = flows.size < maxFlows ? [] : [...flows.keys()].slice(0, maxCleared);
  return [
    ...gone.map((each) => serializeCookie("", 0, { ...settings, cookieName: each })),
    serializeCookie(flow.text, flowSeconds, { ...settings, cookieName: name }),
  ];
}

/** The Set-Cookie line that deletes the cookie of a flow. */
export const serializeClearedFlow = (state: string, settings: CookieSettings): string =>
  serializeCookie("", 0, { ...settings, cookieName: flowCookieName(state, settings) });
