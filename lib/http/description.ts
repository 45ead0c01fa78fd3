import type { Config } from "../config.ts";

/** Puts what this deployment decides into the text of the API description, where `openapi/document.ts` left room. */
export function fillSettings(
  text: string,
  { cookieName, passwordMinLength, issuer }: Config<"cookieName" | "passwordMinLength" | "issuer">,
): string {
  return text
    .replaceAll("{cookieName}", cookieName)
    .replaceAll("{issuer}", issuer)
    .replaceAll(/"\{passwordMinLength\}"|\{passwordMinLength\}/g, String(passwordMinLength));
}
