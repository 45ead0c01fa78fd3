import type { AccountClient, Asked, CodeKind, MailLink } from "../client/account.ts";
import { takeMailLink } from "../client/mail-link.ts";
import type { PasskeyClient } from "../client/passkeys.ts";
import { find } from "./elements.ts";
import { clearForm, onClick, onSubmit, otpOf, type Values } from "./form.ts";
import { mailLink } from "./mail-link.ts";
import { isHere } from "./routes.ts";
import type { Fresh } from "./step-up.ts";

/** The rest of the page. */
interface Rest {
  /** Somebody has logged in. */
  welcome(text: string, values?: Values): Promise<void>;
  /** All sessions of an account have ended; the address is what its owner logs in with next. */
  leave(text: string, email?: string): Promise<void>;
  /** The address of who is logged in, and whether there is a password. */
  email(): string | undefined;
  hasPassword(): boolean;
  fresh: Fresh;
  passkeyClient: PasskeyClient;
}

const parts = [...document.querySelectorAll<HTMLElement>("#mail > section")];
/** The code that the part waits for which is shown. */
let awaited: { kind: string; code: string } | undefined;
/** Where a tab keeps what it waits for, lest a reload takes the form away. */
const keptName = "awaited-mail";
const where =
  "mailbox" in document.documentElement.dataset
    ? " Here the mail is in the terminal of npm start, and a file in .local/mails/."
    : "";

/** Sets up what is done by mail, and shows what the link in one has brought. Nothing is sent before somebody presses a button. */
export function setUpMail(account: AccountClient, rest: Rest): void {
  const { welcome, leave, email: ownEmail, hasPassword, fresh, passkeyClient } = rest;
  for (const name of ["forgot", "by-code"])
    onClick(find(`to-${name}`, HTMLButtonElement), async () => {
      show(name, { email: find("login-email", HTMLInputElement).value });
    });

  onSubmit(find("forgot", HTMLFormElement), async ({ email = "" }) => {
    showAsked("reset", email, await account.askPasswordReset({ email }));
  });
  onSubmit(find("reset", HTMLFormElement), async ({ email, newPassword = "", code = "", ...values }) => {
    await account.confirmPasswordReset({ newPassword, code, ...otpOf(values) });
    await leave("The password is set, and all sessions have ended. Log in with it.", email);
  });

  onSubmit(find("recovery", HTMLFormElement), async ({ token = "", newPassword = "", ...values }) => {
    await account.recoverPassword({ token, newPassword, ...otpOf(values) });
    await leave("The password is set, and all sessions have ended. Log in with it.");
  });

  onSubmit(find("ask-register", HTMLFormElement), async ({ email = "" }) => {
    showAsked("register", email, await account.askRegistration({ email }));
  });
  onSubmit(find("confirm-register", HTMLFormElement), async ({ code = "", password = "" }) => {
    await account.confirmRegistration({ code, password });
    await welcome("Registered and logged in.");
  });
  const byPasskey = find("register-passkey", HTMLButtonElement);
  byPasskey.hidden ||= !("PublicKeyCredential" in globalThis);
  const registering = find("confirm-register", HTMLFormElement);
  onClick(
    byPasskey,
    async () => {
      const code = find("confirm-register-code", HTMLInputElement).value;
      await account.confirmRegistration({ code, passkey: passkeyClient.makePasskey });
      try {
        await passkeyClient.signInWithPasskey();
      } catch {
        return leave("Your account is made. Log in with your passkey.");
      }
      await welcome("Registered and logged in.");
    },
    registering,
  );
  onSubmit(find("invitation", HTMLFormElement), async ({ token = "", password = "" }) => {
    await account.acceptInvitation({ token, password });
    await welcome("Registered and logged in.");
  });

  onSubmit(find("ask-login", HTMLFormElement), async ({ email = "" }) => {
    showAsked("login", email, await account.askLogin({ email }));
  });
  onSubmit(find("confirm-login", HTMLFormElement), async ({ code = "", ...values }) => {
    await account.confirmLogin({ code, ...otpOf(values) });
    await welcome("Logged in.", values);
  });

  onSubmit(find("ask-email", HTMLFormElement), async ({ newEmail = "", password = "", ...values }) => {
    const proof = hasPassword() ? { password, ...otpOf(values) } : {};
    showAsked("email", newEmail, await fresh(() => account.askEmailChange({ newEmail, ...proof })));
  });
  onSubmit(find("confirm-email", HTMLFormElement), async ({ code = "" }) => {
    const before = ownEmail();
    const { email } = await account.confirmEmailChange({ code });
    const isChanged = email !== before;
    await welcome(
      isChanged
        ? "The address is changed, and all other sessions have ended."
        : "It is proven that the address is yours.",
    );
  });
  onSubmit(find("undo", HTMLFormElement), async ({ token = "", newPassword = "" }) => {
    await account.undoEmailChange({ token, newPassword });
    await leave(
      "The account has this address again, and all sessions have ended. Log in with the new password.",
    );
  });

  const showLink = (link = takeMailLink()) => link && showBrought(account, link);
  addEventListener("hashchange", () => showLink());
  // Another tab has used the code, where the link in the mail was opened.
  addEventListener("storage", () => {
    if (awaited && !account.isAskedHere(awaited.kind, awaited.code)) closeMail();
  });
  if (mailLink) showLink(mailLink);
  else showKept(account);
}

/** Shows no part about mails. */
export const closeMail = (): void => show();

/** Shows one part about mails, with what its form holds already; none without a name. */
function show(name?: string, values: Record<string, string> = {}): void {
  awaited = undefined;
  keep();
  for (const part of parts) {
    part.hidden = part.id !== `mail-${name}`;
    if (part.hidden) continue;
    // The default stays when all forms are emptied.
    for (const input of part.querySelectorAll("input")) input.defaultValue = values[input.name] ?? "";
    const sent = part.querySelector(".sent");
    if (sent) sent.textContent = values.sent ?? "";
    part.querySelector("h2")?.focus();
  }
}

function showAsked(kind: CodeKind, email: string, { codeBegins, expiresIn }: Asked): void {
  const minutes = Math.round(expiresIn / 60);
  const sent = `Look into the mail of ${email}: the code there begins with ${codeBegins}, and is good for ${minutes} minutes.`;
  // What was typed there was for the code before.
  const form = parts.find(({ id }) => id === `mail-${kind}`)?.querySelector("form");
  if (form) clearForm(form);
  show(kind, { email, sent: sent + where });
  awaited = { kind, code: codeBegins };
  keep({ kind, email, codeBegins, untilMs: Date.now() + expiresIn * 1_000 });
}

/** What a tab keeps of a mail that it waits for. */
interface Kept extends Pick<Asked, "codeBegins"> {
  kind: CodeKind;
  email: string;
  untilMs: number;
}

function keep(asked?: Kept): void {
  try {
    if (asked) sessionStorage.setItem(keptName, JSON.stringify(asked));
    else sessionStorage.removeItem(keptName);
  } catch {
    // A browser may forbid it; then a reload takes the form away.
  }
}

/** Shows the form again that the tab had before it was loaded anew. */
function showKept(account: AccountClient): void {
  const kept = findKept();
  if (!kept || !account.isAskedHere(kept.kind, kept.codeBegins)) return;
  const { kind, email, codeBegins, untilMs } = kept;
  showAsked(kind, email, { codeBegins, expiresIn: (untilMs - Date.now()) / 1_000 });
}

/** What the tab has kept, if anything. */
function findKept(): Kept | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(keptName) ?? "");
  } catch {
    return undefined;
  }
}

/** Shows what a link has brought; a code that this browser has not asked for is only shown. */
function showBrought(account: AccountClient, { kind, code = "", token = "" }: MailLink): void {
  const part = parts.find(({ id }) => id === `mail-${kind}`);
  const has = (name: string) => !!part?.querySelector(`input[name=${name}]`);
  const isWhole = (!has("code") || /^[0-9a-z]{9}$/i.test(code)) && (!has("token") || token);
  const grouped = code.toUpperCase().replace(/...(?=.)/g, "$&-");
  if (!part?.querySelector("form") || !isHere(part) || !isWhole) show("broken");
  else if (!has("code")) show(kind, { token });
  else if (account.isAskedHere(kind, code)) {
    const kept = findKept();
    show(kind, {
      code: grouped,
      email: kept?.kind === kind ? kept.email : "",
      sent: "The link has brought the code. Nothing is done before you press the button.",
    });
    awaited = { kind, code };
  } else {
    find("elsewhere-code", HTMLElement).textContent = grouped;
    show("elsewhere");
  }
}
