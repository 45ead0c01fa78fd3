import type { CodeKind, Notice, TokenKind } from "../kinds.ts";

/** What a mail may say of its occasion: nothing of it was chosen by whoever asked. */
export interface Facts {
  appName: string;
  /** The host of the page that a code belongs to. */
  host: string;
  /** What asked, or did it: `Chrome on Windows`; undefined where it was no browser. */
  device: string | undefined;
  /** From where; undefined where nobody knows. */
  ip: string | undefined;
  /** When, epoch seconds. */
  at: number;
  /** How long a code or a link is good, counted from then. */
  seconds: number;
  /** Of a change of address: the new one, masked. */
  maskedEmail: string;
}

/** A mail: a constant subject, which mail servers log, and its paragraphs. */
export interface Text {
  subject: string;
  /** What has happened. */
  opening: (facts: Facts) => string;
  /** What the button under it says. */
  button?: string;
  /** What to do, above all if it was somebody else. */
  closing: (facts: Facts) => string;
}

/** What is told instead of a code: that there is an account already. */
export type Told = "registered" | "emailTaken";

/** Which text a mail has. */
export type TextName = CodeKind | TokenKind | Told | Notice;

/** All texts in one language: one that is missing does not compile. */
export interface Texts {
  direction: "ltr" | "rtl";
  /** Above a code: where it is to be typed. */
  enter: (facts: Facts, codeBegins: string) => string;
  /** Above the button that puts a code in. */
  orOpen: string;
  /** Below a code: how long it is good, and that nobody will ask for it. */
  keep: (facts: Facts) => string;
  /** How long a link is good. */
  goodFor: (facts: Facts) => string;
  /** What asked for it, from where and when. */
  asked: (facts: Facts) => string;
  mails: Record<TextName, Text>;
}
