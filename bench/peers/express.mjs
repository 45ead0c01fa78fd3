// The usual express + jsonwebtoken service: HS256 tokens, users and refresh tokens in DynamoDB through the AWS SDK,
// two requests per login and two per refresh. It hashes passwords as the measured service does (Node's argon2id,
// m=19,456, t=2), so that no hash decides. It has no attempt limit, no repeat detection, and logs nothing.
import { argon2, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import express from "express";
import jwt from "jsonwebtoken";
import serverless from "serverless-http";

const { EXPRESS_TABLE: TableName, EXPRESS_SECRET: secret } = process.env;
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const derive = promisify(argon2);
const hash = (message, nonce) =>
  derive("argon2id", { message, nonce, memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 });

async function issue(user) {
  const token = jwt.sign({ sub: user.userId, email: user.email }, secret, { expiresIn: "15m" });
  const refreshToken = randomBytes(32).toString("base64url");
  const Item = { ...user, id: refreshToken, expiresAt: Math.floor(Date.now() / 1000) + 86_400 };
  await client.send(new PutCommand({ TableName, Item }));
  return { token, refreshToken };
}

const app = express();
app.use(express.json());

app.post("/register", async ({ body: { email, password } }, response) => {
  const salt = randomBytes(16);
  const passwordHash = await hash(password, salt);
  const Item = { id: email, email, userId: randomUUID(), salt, passwordHash };
  await client.send(new PutCommand({ TableName, Item }));
  response.status(201).json({ userId: Item.userId });
});

app.post("/login", async ({ body: { email, password } }, response) => {
  const { Item: user } = await client.send(new GetCommand({ TableName, Key: { id: email } }));
  if (!user || !timingSafeEqual(await hash(password, user.salt), Buffer.from(user.passwordHash)))
    return response.status(401).json({ msg: "wrong e-mail or password" });
  response.json(await issue({ userId: user.userId, email }));
});

app.post("/refresh", async ({ body: { refreshToken } }, response) => {
  const Key = { id: refreshToken };
  const { Attributes: found } = await client.send(
    new DeleteCommand({ TableName, Key, ReturnValues: "ALL_OLD" }),
  );
  if (!found || found.expiresAt < Date.now() / 1000)
    return response.status(401).json({ msg: "log in again" });
  response.json(await issue({ userId: found.userId, email: found.email }));
});

export const handler = serverless(app);
