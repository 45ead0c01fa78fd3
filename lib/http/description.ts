import type { Config } from "../config.ts";

/** Puts what this deployment decides into the text of the API description, where `openapi/document.ts` left room. */
export function fillSettings(
  text: string,
  { cookieName, passwordMinLength }: Config<"cookieName" | "passwordMinLength">,
): string {
  return text
    .replaceAll("{cookieName}", cookieName)
    .replaceAll(/"\{passwordMinLength\}"|\{passwordMinLength\}/g, String(passwordMinLength));
}
