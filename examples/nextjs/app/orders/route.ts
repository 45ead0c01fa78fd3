import { withAuth } from "serverless-auth-verify/next";
import { addOrder } from "../orders";
import { getVerifier } from "../verifier";

/** Only callers with a live access token get here, and no page of another site. */
export const POST = (request: Request, context: object) =>
  withAuth(getVerifier(), async (_, { auth }) => {
    const { item } = await request.json();
    addOrder(auth.sub, String(item));
    return new Response(null, { status: 201 });
  })(request, context);
