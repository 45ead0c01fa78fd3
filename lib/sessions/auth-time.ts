/** What a session says of when its user was proven. Times are epoch seconds. */
export interface Authenticated {
  createdAt: number;
  /** Where that was at the login of a session in whose place this one came. */
  authenticatedAt?: number;
}

/** When the user of a session was proven: `auth_time` of its tokens, from which its greatest age counts. */
export const authTimeOf = ({ createdAt, authenticatedAt = createdAt }: Authenticated): number =>
  authenticatedAt;
