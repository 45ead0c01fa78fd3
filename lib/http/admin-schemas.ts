import * as v from "valibot";
import { isRole, rolePattern, roleRule } from "../accounts/role-pattern.ts";
import { languages } from "../mail/language.ts";
import { emailBody, refreshToken } from "./schemas.ts";

const rolesRule = `must be a list of roles, each of ${roleRule}`;
const roles = v.pipe(
  v.array(
    v.pipe(v.string(rolesRule), v.metadata({ pattern: rolePattern.source }), v.check(isRole, rolesRule)),
    rolesRule,
  ),
  v.transform((given) => [...new Set(given)]),
);

/** The body of a change of roles: those that the account has from now on. */
export const rolesBody = v.strictObject({ roles, refreshToken });

/** The body of a reset of the password by an administrator. */
export const recoveryBeginBody = v.strictObject({
  now: v.optional(v.boolean("must be true or false"), false),
  refreshToken,
});

/** The body of an invitation. */
export const invitationBody = v.strictObject({
  ...emailBody.entries,
  roles: v.exactOptional(roles),
  language: v.optional(v.picklist(languages, `must be one of ${languages.join(", ")}`), languages[0]),
  refreshToken,
});
