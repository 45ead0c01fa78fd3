import type { Texts } from "./texts.ts";

const plural = (count: number, unit: string) => `${count} ${unit}${count === 1 ? "" : "s"}`;

function duration(seconds: number): string {
  if (seconds >= 172_800) return plural(Math.round(seconds / 86_400), "day");
  if (seconds > 3_600) return plural(Math.round(seconds / 3_600), "hour");
  return plural(Math.round(seconds / 60), "minute");
}

const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

const nothing = "If it was not you, ignore this mail: nothing has changed.";
const recover =
  "If it was you, there is nothing to do. If not, set a new password at once: it signs everybody else out.";

/** Mails in English. */
export const en: Texts = {
  direction: "ltr",
  enter: ({ host }, codeBegins) =>
    `Enter this code on the page of ${host} where you began. It begins with ${codeBegins}, as that page says.`,
  orOpen: "In the same browser you can also open this:",
  keep: ({ host, appName, seconds }) =>
    `The code is good for ${duration(seconds)}, and only at ${host}. Nobody at ${appName} will ever ask you for it, by telephone or by message.`,
  goodFor: ({ seconds }) => `The link is good for ${duration(seconds)}.`,
  asked: ({ device, ip, at }) =>
    `It came from: ${device}, ${ip ? `address ${ip}` : "address unknown"}, ${format.format(at * 1000)} UTC.`,
  mails: {
    register: {
      subject: "Confirm your e-mail address",
      opening: ({ appName }) =>
        `Somebody, probably you, wants to open an account at ${appName} with this e-mail address.`,
      button: "Go on",
      closing: () =>
        "If it was not you, ignore this mail: there is no account, and without the code there will be none.",
    },
    registered: {
      subject: "You already have an account",
      opening: ({ appName }) =>
        `Somebody, probably you, wanted to open an account at ${appName} with this e-mail address. There is one already.`,
      button: "Set a new password",
      closing: () =>
        "Sign in with your password, or set a new one. If it was not you, ignore this mail: nothing has changed.",
    },
    reset: {
      subject: "Set a new password",
      opening: ({ appName }) =>
        `Somebody, probably you, wants to set a new password for your account at ${appName}.`,
      button: "Set a new password",
      closing: () => `${nothing} Your password still works.`,
    },
    email: {
      subject: "Confirm your new e-mail address",
      opening: ({ appName }) =>
        `Somebody, probably you, wants to use this e-mail address for an account at ${appName}.`,
      button: "Go on",
      closing: () => nothing,
    },
    emailTaken: {
      subject: "This e-mail address has an account already",
      opening: ({ appName }) =>
        `Somebody wanted to move another account at ${appName} to this e-mail address. It has an account already, so nothing was moved.`,
      closing: () => nothing,
    },
    login: {
      subject: "Sign in",
      opening: ({ appName }) => `Somebody, probably you, wants to sign in to your account at ${appName}.`,
      button: "Sign in",
      closing: () => "If it was not you, ignore this mail: without the code nobody is signed in.",
    },
    invitation: {
      subject: "You are invited",
      opening: ({ appName }) =>
        `The people who run ${appName} have invited you to open an account with this e-mail address.`,
      button: "Open an account",
      closing: () => "If you do not know why, ignore this mail: there is no account until you open it.",
    },
    recovery: {
      subject: "Set a new password",
      opening: ({ appName }) =>
        `The people who run ${appName} ask you to set a new password for your account there.`,
      button: "Set a new password",
      closing: () =>
        "If you have not asked them for it and do not know why, ask them: they cannot see this link, and will never ask you for it.",
    },
    undo: {
      subject: "Your e-mail address was changed",
      opening: ({ appName, maskedEmail }) =>
        `The e-mail address of your account at ${appName} was changed to ${maskedEmail}. This one no longer opens it.`,
      button: "Undo the change",
      closing: () =>
        "If it was you, there is nothing to do. If not, undo the change: your address comes back, you set a new password, and everybody else is signed out.",
    },
    passwordChanged: {
      subject: "Your password was changed",
      opening: ({ appName }) =>
        `The password of your account at ${appName} was changed by somebody who was signed in and knew it.`,
      button: "Set a new password",
      closing: () => recover,
    },
    passwordReset: {
      subject: "Your password was changed",
      opening: ({ appName }) =>
        `The password of your account at ${appName} was changed with a code that was sent to this address.`,
      button: "Set a new password",
      closing: () => recover,
    },
    emailChanged: {
      subject: "Your e-mail address was changed",
      opening: ({ appName }) => `This is now the e-mail address of your account at ${appName}.`,
      closing: () =>
        "If the address before it was confirmed, it has been told, and can undo the change for seven days.",
    },
    emailUndone: {
      subject: "Your e-mail address was changed back",
      opening: ({ appName }) =>
        `The account at ${appName} that had been moved to this e-mail address has its address of before again. This one no longer opens it.`,
      closing: () => "It was undone with the link that the address of before had got.",
    },
    emailRestored: {
      subject: "Your e-mail address is back",
      opening: ({ appName }) =>
        `This is again the e-mail address of your account at ${appName}. It has the new password that was set with the link in the mail about the change, and everybody else was signed out.`,
      button: "Set a new password",
      closing: () => recover,
    },
    newDevice: {
      subject: "New sign-in",
      opening: ({ appName }) =>
        `Somebody signed in to your account at ${appName} with a browser that it does not know.`,
      button: "Set a new password",
      closing: () => recover,
    },
    totpAdded: {
      subject: "An authenticator app was set up",
      opening: ({ appName }) =>
        `An authenticator app was set up for your account at ${appName}, with recovery codes. Signing in needs a code from now on.`,
      closing: () =>
        "If it was you, keep the recovery codes safe. If not, somebody is signed in to your account: ask the people who run it.",
    },
    totpRemoved: {
      subject: "Your authenticator app was switched off",
      opening: ({ appName }) =>
        `The authenticator app of your account at ${appName} was switched off, with its recovery codes. The password alone opens the account now.`,
      button: "Set a new password",
      closing: () => recover,
    },
    recoveryCodesMade: {
      subject: "New recovery codes",
      opening: ({ appName }) =>
        `New recovery codes were made for your account at ${appName}. Those of before no longer work.`,
      button: "Set a new password",
      closing: () => recover,
    },
    recoveryCodeUsed: {
      subject: "A recovery code was used",
      opening: ({ appName }) =>
        `Somebody with your password used one of the recovery codes of your account at ${appName}. It does not work again.`,
      button: "Set a new password",
      closing: () => recover,
    },
    factorRefused: {
      subject: "Wrong codes for your account",
      opening: ({ appName }) =>
        `Somebody who has your password, or can read your mail or use your account at a provider, tried to sign in to your account at ${appName}, and typed wrong codes in place of those that your authenticator app shows. Nobody got in.`,
      button: "Set a new password",
      closing: () => recover,
    },
    passkeyAdded: {
      subject: "A passkey was added",
      opening: ({ appName }) =>
        `A passkey was added to your account at ${appName}. Whoever has it can sign in without your password.`,
      button: "Set a new password",
      closing: () =>
        "If it was you, there is nothing to do. If not, set a new password at once – it signs everybody else out – and then remove the passkey.",
    },
    passkeyRemoved: {
      subject: "A passkey was removed",
      opening: ({ appName }) =>
        `A passkey was removed from your account at ${appName}. Nobody can sign in with it any more.`,
      button: "Set a new password",
      closing: () => recover,
    },
    identityLinked: {
      subject: "A new way to sign in was added",
      opening: ({ appName }) =>
        `An account at another provider was linked to your account at ${appName}. Whoever has it can sign in without your password.`,
      button: "Set a new password",
      closing: () =>
        "If it was you, there is nothing to do. If not, set a new password at once – it signs everybody else out – and then remove what was linked.",
    },
    identityUnlinked: {
      subject: "A way to sign in was removed",
      opening: ({ appName }) =>
        `An account at another provider was removed from your account at ${appName}. Nobody can sign in with it any more.`,
      button: "Set a new password",
      closing: () => recover,
    },
    accountDisabled: {
      subject: "Your account is closed",
      opening: ({ appName }) =>
        `The people who run ${appName} have closed your account. Nobody can sign in to it.`,
      closing: () => "Ask them if you think that this is a mistake.",
    },
    accountDeleted: {
      subject: "Your account was deleted",
      opening: ({ appName }) => `Your account at ${appName} was deleted, with everything in it.`,
      closing: () => "This is the last mail about it. If it was not you, ask the people who run it.",
    },
  },
};
