import { buildClient } from "../../build/client.ts";
import { buildVerify } from "../../build/verify.ts";
import globalSetup from "../global-setup.ts";

/** Makes what all tests use, and both packages anew. */
export default async function setup(...args: Parameters<typeof globalSetup>): Promise<void> {
  await Promise.all([globalSetup(...args), buildClient("client/dist"), buildVerify("verify/dist")]);
}
