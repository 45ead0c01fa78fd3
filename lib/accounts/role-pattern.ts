/** Texts of a token's claim: what would be hard to tell apart, or to write into a rule, is none. */
export const rolePattern = /^[\w.:@/-]{1,64}$/;
