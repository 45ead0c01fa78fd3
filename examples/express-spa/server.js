import { fileURLToPath } from "node:url";
import express from "express";
import { createVerifier } from "serverless-auth-verify";
import { authenticate } from "serverless-auth-verify/express";

const { AUTH_URL = "http://localhost:3000", COOKIE_NAME = "auth-cookie", PORT = "4000" } = process.env;
const verifier = createVerifier({
  issuer: AUTH_URL,
  audience: "api",
  clientId: null,
  cookieName: COOKIE_NAME,
});
const app = express();

// The page and the client.
app.use(express.static(fileURLToPath(new URL("public", import.meta.url))));
app.use(
  "/client",
  express.static(fileURLToPath(new URL(".", import.meta.resolve("serverless-auth-client")))),
);

// The auth API, behind this server: whatever the browser says of itself goes on as it came.
const passed = ["cookie", "origin", "sec-fetch-site", "user-agent", "accept-language", "content-type"];
passed.push("session-key", "idempotency-key", "idempotency-key-previous");
app.use("/auth", express.text({ type: () => true }), async (request, response) => {
  const { method, originalUrl } = request;
  const headers = passed.flatMap((name) => (request.headers[name] ? [[name, request.headers[name]]] : []));
  const body = typeof request.body === "string" ? request.body : null;
  const answer = await fetch(AUTH_URL + originalUrl, { method, headers, body, redirect: "manual" });
  // Each cookie is a line of its own.
  response
    .status(answer.status)
    .setHeaders(answer.headers)
    .send(await answer.text());
});

// What the application itself protects.
const orders = new Map();
app.use("/orders", authenticate(verifier), express.json());
app.get("/orders", ({ auth }, response) => response.json(orders.get(auth.sub) ?? []));
app.post("/orders", ({ auth, body }, response) => {
  const own = [...(orders.get(auth.sub) ?? []), String(body?.item ?? "")];
  orders.set(auth.sub, own);
  response.status(201).json(own);
});

const server = app.listen(Number(PORT), () => console.log(`http://localhost:${server.address().port}`));
