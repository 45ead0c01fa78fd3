export { AppError as AuthError } from "../lib/errors.ts";
export type { Claims } from "./claims.ts";
export type { Fetch } from "./fetch.ts";
export type { KeyCacheTimes } from "./key-cache.ts";
export { requireRole } from "./role.ts";
export {
  createVerifier,
  type IncomingRequest,
  type Verifier,
  type VerifierOptions,
} from "./verifier.ts";
