import { headers } from "next/headers";
import { findAuth } from "serverless-auth-verify/next";
import { getVerifier } from "./verifier";

export default async function Page() {
  const auth = await findAuth(getVerifier(), await headers());
  return <p>{auth ? `Hello ${auth.email}` : "Log in first."}</p>;
}
