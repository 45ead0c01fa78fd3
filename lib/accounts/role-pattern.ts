/** What a role is made of, for people. */
export const roleRule = "up to 64 letters, digits and . : @ / _ - without blanks, but not the word none";

/** Texts of a token's claim: what would be hard to tell apart, or to write into a rule, is none. */
export const rolePattern = /^[\w.:@/-]{1,64}$/;

/** Answers whether a text is a role: `none` is what operators write for none of any. */
export const isRole = (text: string): boolean => rolePattern.test(text) && text !== "none";
