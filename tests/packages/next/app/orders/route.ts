import { withAuth } from "serverless-auth-verify/next";
import { getVerifier } from "../verifier";

export const GET = (request: Request, context: object) =>
  withAuth(getVerifier(), (_, { auth }) => Response.json({ email: auth.email }))(request, context);

export const POST = GET;
