import { headers } from "next/headers";
import Link from "next/link";
import { findAuth } from "serverless-auth-verify/next";
import { listOrders } from "./orders";
import { LogOut, Order, SignIn } from "./session";
import { getVerifier } from "./verifier";

/** Rendered for whoever asks. It verifies the token itself, and sends no request to the API. */
export default async function Page() {
  const auth = await findAuth(getVerifier(), await headers());
  if (!auth) return <SignIn />;
  return (
    <>
      <h1>Hello {auth.email}</h1>
      <ul>
        {listOrders(auth.sub).map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: orders are only added, at the end
          <li key={index}>{item}</li>
        ))}
      </ul>
      <Order />
      <Link href="/sessions">Your sessions</Link>
      <LogOut />
    </>
  );
}
