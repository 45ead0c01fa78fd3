import type { AccountClient, Asked, CodeKind, MailLink } from "../client/account.ts";
import { takeMailLink } from "../client/mail-link.ts";
import { find } from "./elements.ts";
import { onClick, onSubmit } from "./form.ts";
import { mailLink } from "./mail-link.ts";
import { isHere } from "./routes.ts";

/** What happens on the rest of the page when somebody has logged in, or when all sessions of an account have ended. */
interface Rest {
  welcome(text: string): Promise<void>;
  leave(text: string): Promise<void>;
}

const parts = [...document.querySelectorAll<HTMLElement>("#mail > section")];
const where =
  "mailbox" in document.documentElement.dataset
    ? " Here the mail is in the terminal of npm start, and a file in .local/mails/."
    : "";

/** Sets up what is done by mail, and shows what the link in one has brought. Nothing is sent before somebody presses a button. */
export function setUpMail(account: AccountClient, rest: Rest): void {
  const welcome = (text: string) => close(rest.welcome, text);
  const leave = (text: string) => close(rest.leave, text);

  for (const name of ["forgot", "by-code"])
    onClick(find(`to-${name}`, HTMLButtonElement), async () => {
      show(name, { email: find("login-email", HTMLInputElement).value });
    });

  onSubmit(find("forgot", HTMLFormElement), async ({ email = "" }) => {
    showAsked("reset", email, await account.askPasswordReset({ email }));
  });
  onSubmit(find("reset", HTMLFormElement), async ({ newPassword = "", code = "" }) => {
    await account.confirmPasswordReset({ newPassword, code });
    await leave("The password is set, and all sessions have ended. Log in with it.");
  });

  onSubmit(find("ask-register", HTMLFormElement), async ({ email = "" }) => {
    showAsked("register", email, await account.askRegistration({ email }));
  });
  onSubmit(find("confirm-register", HTMLFormElement), async ({ code = "", password = "" }) => {
    await account.confirmRegistration({ code, password });
    await welcome("Registered and logged in.");
  });
  onSubmit(find("invitation", HTMLFormElement), async ({ token = "", password = "" }) => {
    await account.acceptInvitation({ token, password });
    await welcome("Registered and logged in.");
  });

  onSubmit(find("ask-login", HTMLFormElement), async ({ email = "" }) => {
    showAsked("login", email, await account.askLogin({ email }));
  });
  onSubmit(find("confirm-login", HTMLFormElement), async ({ code = "" }) => {
    await account.confirmLogin({ code });
    await welcome("Logged in.");
  });

  onSubmit(find("ask-email", HTMLFormElement), async ({ newEmail = "", password = "" }) => {
    showAsked("email", newEmail, await account.askEmailChange({ newEmail, password }));
  });
  onSubmit(find("confirm-email", HTMLFormElement), async ({ code = "" }) => {
    await account.confirmEmailChange({ code });
    await welcome("The address is changed, and all other sessions have ended.");
  });
  onSubmit(find("undo", HTMLFormElement), async ({ token = "", newPassword = "" }) => {
    await account.undoEmailChange({ token, newPassword });
    await leave(
      "The account has this address again, and all sessions have ended. Log in with the new password.",
    );
  });

  const showLink = (link = takeMailLink()) => link && showBrought(account, link);
  addEventListener("hashchange", () => showLink());
  showLink(mailLink);
}

/** Shows one part about mails, with what its form holds already; none without a name. */
function show(name?: string, values: Record<string, string> = {}): void {
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

async function close(then: (text: string) => Promise<void>, text: string): Promise<void> {
  show();
  await then(text);
}

function showAsked(kind: CodeKind, email: string, { codeBegins, expiresIn }: Asked): void {
  const minutes = Math.round(expiresIn / 60);
  const sent = `Look into the mail of ${email}: the code there begins with ${codeBegins}, and is good for ${minutes} minutes.`;
  show(kind, { email, sent: sent + where });
}

/** Shows what a link has brought; a code that this browser has not asked for is only shown. */
function showBrought(account: AccountClient, { kind, code = "", token = "" }: MailLink): void {
  const part = parts.find(({ id }) => id === `mail-${kind}`);
  const has = (name: string) => !!part?.querySelector(`input[name=${name}]`);
  const isWhole = (!has("code") || /^[0-9a-z]{9}$/i.test(code)) && (!has("token") || token);
  if (!part?.querySelector("form") || !isHere(part) || !isWhole) show("broken");
  else if (!has("code") || account.isAskedHere(kind, code)) show(kind, { code, token });
  else {
    find("elsewhere-code", HTMLElement).textContent = code.toUpperCase().replace(/...(?=.)/g, "$&-");
    show("elsewhere");
  }
}
