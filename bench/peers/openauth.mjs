// OpenAuth's issuer as its documentation sets it up on AWS: password provider (scrypt), DynamoDB storage, and its own
// ES256 key, which it keeps in that table. A login is three requests (authorize, password, token) with PKCE left out;
// a refresh token is a random id that is used once, and again within a minute for racing tabs.
import { issuer } from "@openauthjs/openauth";
import { PasswordProvider, ScryptHasher } from "@openauthjs/openauth/provider/password";
import { DynamoStorage } from "@openauthjs/openauth/storage/dynamo";
import { PasswordUI } from "@openauthjs/openauth/ui/password";
import { handle } from "hono/aws-lambda";
import { subjects } from "./openauth-subjects.mjs";

const storage = DynamoStorage({
  table: process.env.OPENAUTH_TABLE,
  endpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB,
});
const hasher = ScryptHasher();

const app = issuer({
  subjects,
  storage,
  providers: { password: PasswordProvider({ hasher, ...PasswordUI({ sendCode: async () => {} }) }) },
  ttl: { access: 900, refresh: 86_400 },
  success: async (context, { email }) => context.subject("user", { email }),
});

export const handler = handle(app);

/** What its registration stores once the e-mailed code has been typed in. */
export async function addUser(email, password) {
  await storage.set(["email", email, "password"], await hasher.hash(password));
}
