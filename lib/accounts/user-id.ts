/** Answers whether a text has the form of a user id: that of a UUID. */
export const isUserId = (text: string): boolean => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(text);
