/** What this start is like. */
interface Facts {
  hasPage: boolean;
  isPlainHttp: boolean;
  /** Where the tables are, in words. */
  tables: string;
  /** Where mails go, in words. */
  mails: string;
}

/**
 * What to do next: open the page, or type four lines of curl that register, log in, fetch a protected resource and refresh. Where
 * the cookie is not as in a deployment, it says so.
 */
export function welcome(
  url: string,
  cookieJar: string,
  { hasPage, isPlainHttp, tables, mails }: Facts,
): string {
  const account = `-H 'content-type: application/json' -d '{"email":"you@example.com","password":"a long and private sentence"}'`;
  const curl = `curl -isS -w '\\n\\n'`;
  const file = `'${cookieJar.replaceAll("'", `'\\''`)}'`;
  const jar = `-b ${file} -c ${file}`;
  return `
${url} is ready.${hasPage ? ` Open ${url}/ in a browser, or try it` : " Try it"} in another terminal:

${curl} ${url}/auth/register ${account}
${curl} ${jar} ${url}/auth/login ${account}
${curl} ${jar} ${url}/movies
${curl} ${jar} -X POST ${url}/auth/refresh

What else there is: ${url}/docs
The tables are ${tables}. Mails go ${mails}.${isPlainHttp ? plainHttp : ""}
Changes of functions/ and lib/ are picked up as you save them, those of serverless.yml at the next start. Ctrl-C ends it.
`;
}

const plainHttp = `
The cookie has no Secure attribute here, since Safari keeps none that has it from plain http. A deployment's has it.`;
