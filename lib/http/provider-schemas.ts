import * as v from "valibot";
import { device, otp, refreshToken } from "./schemas.ts";

const text = v.string("must be a string");

/** The code as the provider made it. */
const code = v.pipe(
  text,
  v.metadata({ pattern: "^[\\x20-\\x7e]{1,4096}$", maxLength: 4096 }),
  v.check(
    (value) => /^[\x20-\x7e]{1,4096}$/.test(value),
    "must be the code of the provider, of at most 4096 characters",
  ),
);

const state = v.pipe(
  text,
  v.metadata({ pattern: "^[\\w\\-]{43}$" }),
  v.check((value) => /^[\w-]{43}$/.test(value), "must be the state that the provider gave back"),
);

const iss = v.exactOptional(
  v.pipe(
    text,
    v.metadata({ maxLength: 200 }),
    v.check((value) => value.length <= 200, "must have at most 200 characters"),
  ),
);

/** Of a bearer client: what it was given at the start. Browsers have it in a cookie. */
const flow = v.exactOptional(
  v.pipe(
    text,
    v.metadata({ maxLength: 256 }),
    v.check((value) => value.length <= 256, "must have at most 256 characters"),
  ),
);

/** An ID token as an SDK gives it to an app. */
const idToken = v.pipe(
  text,
  v.metadata({ pattern: "^[\\w\\-]+\\.[\\w\\-]+\\.[\\w\\-]+$", maxLength: 8192 }),
  v.check(
    (value) => value.length <= 8_192 && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value),
    "must be an ID token, of at most 8192 characters",
  ),
);

/** The body that links an identity: a bearer client sends its whole pair. */
export const linkBody = v.strictObject({ code, state, iss, flow, refreshToken });

/** The body that ends a sign-in at a provider. */
export const finishBody = v.strictObject({ code, state, iss, flow, otp, device });

/** The same of an app whose SDK has asked the provider: for the nonce of the start it gave an ID token. */
export const idTokenBody = v.strictObject({ idToken, state, flow, otp, device });

/** Answers whether the body that ends a sign-in has an ID token. */
export const hasIdToken = (body: unknown): boolean => v.is(v.object({ idToken: v.unknown() }), body);
