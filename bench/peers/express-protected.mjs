// A protected resource in a function of its own, as small as express makes it: no AWS SDK.
import express from "express";
import jwt from "jsonwebtoken";
import serverless from "serverless-http";

const { EXPRESS_SECRET: secret } = process.env;
const app = express();

function authenticate(request, response, next) {
  try {
    const [, token] = (request.headers.authorization ?? "").split(" ");
    request.user = jwt.verify(token, secret, { algorithms: ["HS256"] });
    next();
  } catch {
    response.status(401).json({ msg: "log in again" });
  }
}

app.get("/movies", authenticate, (_request, response) => response.json(["Avatar", "Avengers"]));

export const handler = serverless(app);
