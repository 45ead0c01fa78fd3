/** A deletion that broke off must not lock its owner out for good; no request lives for so long. */
const deletionSeconds = 900;

/** What a user item says of that; epoch seconds. */
interface Closed {
  disabledAt?: number | undefined;
  deletingAt?: number | undefined;
}

/**
 * Answers whether an account is being deleted. 15 minutes after it began, a deletion is as if it had never been asked for;
 * `now` is in epoch seconds.
 */
export const isBeingDeleted = ({ deletingAt = 0 }: Closed, now: number): boolean =>
  deletingAt > now - deletionSeconds;

/** Answers whether nobody is let in: an operator disabled the account, or it is being deleted; `now` is in epoch seconds. */
export const isDisabled = (user: Closed, now: number): boolean =>
  user.disabledAt !== undefined || isBeingDeleted(user, now);

/** The condition of a write to a user whose account is not being deleted, with `valuesOfOpen`. */
export const isDeletedByNobody = "(attribute_not_exists(deletingAt) OR deletingAt <= :brokeOff)";

/** The condition of a write to a user who is not disabled, with `valuesOfOpen`. */
export const isOpen = `attribute_not_exists(disabledAt) AND ${isDeletedByNobody}`;

/** The values of these conditions; `now` is in epoch seconds. */
export const valuesOfOpen = (now: number) => ({ ":brokeOff": now - deletionSeconds });

/** What is sent may arrive so much later: by then a deletion must not count as broken off. */
const arrivalSeconds = 60;

/** The condition of the write that ends a deletion, with `valuesOfUnderWay`. */
export const isUnderWay = "deletingAt > :tooOld";

/** The values of the condition `isUnderWay`; `now` is in epoch seconds. */
export const valuesOfUnderWay = (now: number) => ({ ":tooOld": now - deletionSeconds + arrivalSeconds });
