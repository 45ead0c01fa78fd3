import type { Switches } from "../build/switches.ts";

/** What this start is like. */
interface Facts {
  hasPage: boolean;
  /** Who may register. */
  registration: Switches["REGISTRATION"];
  isPlainHttp: boolean;
  /** Where the tables are, in words. */
  tables: string;
  /** Where mails go, in words. */
  mails: string;
  /** Which provider the page has a button for, in words. */
  provider: string | undefined;
}

/**
 * What to do next: open the page, or type the lines of curl that register, log in, fetch a protected resource and refresh. Where
 * the cookie is not as in a deployment, it says so.
 */
export function welcome(
  url: string,
  cookieJar: string,
  { hasPage, registration, isPlainHttp, tables, mails, provider }: Facts,
): string {
  const email = '"email":"you@example.com"';
  const password = '"password":"a long and private sentence"';
  const json = (...members: string[]) => `-H 'content-type: application/json' -d '{${members.join()}}'`;
  const curl = `curl -isS -w '\\n\\n'`;
  const file = `'${cookieJar.replaceAll("'", `'\\''`)}'`;
  const jar = `-b ${file} -c ${file}`;
  const register = {
    open: `${curl} ${url}/auth/register ${json(email, password)}`,
    verified: `${curl} ${url}/auth/register ${json(email)}

That mails a code: put it for CODE into the next line, and the challenge of the answer for CHALLENGE:

${curl} ${url}/auth/register/confirm ${json('"challenge":"CHALLENGE"', '"code":"CODE"', password)}`,
    closed: `Nobody can register, since REGISTRATION is closed. To make an account start once with REGISTRATION=open.
`,
  };
  return `
${url} is ready.${hasPage ? ` Open ${url}/ in a browser, or try it` : " Try it"} in another terminal:

${register[registration]}
${curl} ${jar} ${url}/auth/login ${json(email, password)}
${curl} ${jar} ${url}/movies
${curl} ${jar} -X POST ${url}/auth/refresh

What else there is: ${url}/docs
The tables are ${tables}. Mails go ${mails}.${provider ? `\nSign-in: ${provider}, for any e-mail address that you type there.` : ""}${isPlainHttp ? plainHttp : ""}
Code that you save is picked up, in functions/, lib/ and own/. What stands in a .yml, such as functions/own/functions.yml, and the
settings of this shell count from the next start on. Ctrl-C ends it.
`;
}

const plainHttp = `
The cookie has no Secure attribute here, since Safari keeps none that has it from plain http. A deployment's has it.`;
