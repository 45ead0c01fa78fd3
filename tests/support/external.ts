import type { ApiResponse } from "../../lib/http/response.ts";
import { bodyOf } from "./answer.ts";
import type { ClientRequest } from "./event.ts";
import { keepSecrets } from "./log.ts";
import type { Sandbox } from "./sandbox.ts";

/** A sign-in at a provider that was begun. */
export interface Begun {
  /** What the browser has then, of this sign-in alone. */
  cookies: string[];
  authorizationUrl: string;
  state: string;
  nonce: string;
  /** Of a bearer client. */
  flow: string | undefined;
}

/** What a browser sends back of an answer's cookies. */
export const keptOf = ({ cookies = [] }: ApiResponse): string[] =>
  cookies.flatMap((line) => (line.includes("; Max-Age=0") ? [] : [line.split(";", 1)[0] ?? ""]));

/** Begins and ends sign-ins at a provider, in a browser. */
export function createSignIns(sandbox: Sandbox, provider: string) {
  const pathParameters = { provider };
  return {
    async begin(request: ClientRequest = {}): Promise<Begun> {
      const response = await sandbox.beginExternal({ pathParameters, ...request });
      const { authorizationUrl, state, nonce, flow } = bodyOf(response);
      const cookies = keptOf(response);
      keepSecrets(...[flow ?? [], cookies.map((cookie) => cookie.slice(cookie.indexOf("=") + 1))].flat());
      return { cookies, authorizationUrl, state, nonce, flow };
    },

    /** Hands over what the page was opened with, with the cookies of the sign-in and further ones. */
    finish(
      { cookies, state }: Pick<Begun, "cookies" | "state">,
      returned: object,
      request: ClientRequest = {},
    ): Promise<ApiResponse> {
      return sandbox.finishExternal({
        ...{ pathParameters, ...request, cookies: [...cookies, ...(request.cookies ?? [])] },
        body: { state, ...returned },
      });
    },
  };
}
