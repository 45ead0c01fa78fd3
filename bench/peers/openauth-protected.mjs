// A protected resource behind OpenAuth's client: it fetches the issuer's keys at the first call and keeps them.
import { createClient } from "@openauthjs/openauth/client";
import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { subjects } from "./openauth-subjects.mjs";

const client = createClient({ clientID: "bench", issuer: process.env.OPENAUTH_ISSUER });
const app = new Hono();

app.get("/movies", async (context) => {
  const [, token = ""] = (context.req.header("authorization") ?? "").split(" ");
  const verified = await client.verify(subjects, token);
  return verified.err ? context.json({ msg: "log in again" }, 401) : context.json(["Avatar", "Avengers"]);
});

export const handler = handle(app);
