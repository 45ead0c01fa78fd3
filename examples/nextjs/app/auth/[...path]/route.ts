const names = ["cookie", "origin", "sec-fetch-site", "user-agent", "accept-language", "content-type"];
names.push("session-key", "idempotency-key", "idempotency-key-previous");

async function forward(request: Request): Promise<Response> {
  const { AUTH_URL = "http://localhost:3000", PROXY_SECRET = "" } = process.env;
  const { pathname, search } = new URL(request.url);
  const headers = new Headers({ "x-proxy-secret": PROXY_SECRET });
  for (const name of names) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  // Of the proxy before this server, the last address: the only one that it saw itself.
  headers.set("x-client-address", request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "");
  const { method } = request;
  const body = method === "GET" ? null : await request.text();
  const answer = await fetch(AUTH_URL + pathname + search, { method, headers, body, redirect: "manual" });
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}

export { forward as DELETE, forward as GET, forward as POST };
