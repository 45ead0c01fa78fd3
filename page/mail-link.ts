import { takeMailLink } from "../client/mail-link.ts";

/** What the link in a mail has brought. This runs before anything else of the page does. */
export const mailLink = takeMailLink();
