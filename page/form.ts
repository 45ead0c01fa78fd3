import { AuthError } from "../client/auth-client.ts";
import { create } from "./elements.ts";
import { ended, explain, isEnd, say, takeBack } from "./notice.ts";

/** What somebody has typed, by the names of the fields; `otp` only where it was asked for. */
export type Values = Partial<Record<string, string>>;

/** Does something with what a form holds, at each submission; what the API refuses is shown where it was typed. */
export function onSubmit(form: HTMLFormElement, act: (values: Values) => Promise<void>): void {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
    if (!button || isBusy(button)) return;
    clearErrors(form);
    if (showFaults(findMissing(form))) return;
    const values = Object.fromEntries(new FormData(form)) as Values;
    await whileBusy(button, async () => {
      const waiting = form.dataset.waiting ?? "";
      say(waiting);
      try {
        await act(values);
        takeBack(waiting);
        clearForm(form);
      } catch (error) {
        if (isGone(error)) return;
        say("");
        showError(form, error);
      }
    });
  });
}

/** Does something at each click; where that fails, the page says why: below, or under a form. */
export function onClick(button: HTMLButtonElement, act: () => Promise<void>, form?: HTMLFormElement): void {
  button.addEventListener("click", async () => {
    if (isBusy(button)) return;
    say("");
    if (form) clearErrors(form);
    await whileBusy(button, async () => {
      try {
        await act();
      } catch (error) {
        if (isGone(error)) return;
        if (form) showError(form, error);
        else say(explain(error));
      }
    });
  });
}

/** Makes a button; `what` tells it from others of that name, to whoever does not see where it stands. */
export function createButton(text: string, act: () => Promise<void>, what?: string): HTMLButtonElement {
  const button = create("button", text);
  button.type = "button";
  if (what) button.ariaLabel = `${text}: ${what}`;
  onClick(button, act);
  return button;
}

/** What stands in the place of something that could not be read: why, and a button that asks again. */
export function createFailure(
  text: string,
  button: string,
  ask: () => Promise<void>,
): [HTMLElement, string, HTMLButtonElement] {
  const message = create("span", text);
  message.className = "error";
  message.role = "alert";
  return [message, " ", createButton(button, ask)];
}

/** The code of an error for whoever is there no more: what that means is said already. */
export const userGone = "user_gone";
const isGone = (error: unknown) => error instanceof AuthError && error.code === userGone;

/** What a request sends of the second factor: the code, if it was asked for. */
export const otpOf = ({ otp }: Values): { otp?: string } => (otp ? { otp } : {});

/** Says at every field for a new password what one has to be like, before anybody types. */
export function hintAtPasswords(): void {
  const { passwordMin } = document.documentElement.dataset;
  for (const input of document.querySelectorAll<HTMLInputElement>("input[autocomplete=new-password]")) {
    const hint = create(
      "p",
      `At least ${passwordMin} characters: a few words that only you would put together.`,
    );
    hint.className = "hint";
    hint.id = `${input.id}-hint`;
    input.before(hint);
    describe(input);
  }
}

/** Lets people look at the passwords that they type, until the form is sent or emptied. */
export function addToggles(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>("input[type=password]")) {
    const toggle = create("button");
    Object.assign(toggle, { type: "button", className: "link toggle" });
    Object.assign(input, { spellcheck: false, autocapitalize: "none" });
    const show = (isShown: boolean) => {
      input.type = isShown ? "text" : "password";
      toggle.textContent = isShown ? "Hide password" : "Show password";
    };
    toggle.onclick = () => show(input.type === "password");
    for (const event of ["submit", "reset"]) input.form?.addEventListener(event, () => show(false));
    input.after(toggle);
    show(false);
  }
}

/** Answers whether what was typed as the second factor is one of the recovery codes, of which each works once. */
export const isRecoveryCode = ({ otp = "" }: Values): boolean => /[a-z]/i.test(otp);

/** Empties all forms: no password stays for whoever is there next. */
export function clearForms(): void {
  for (const form of document.forms) clearForm(form);
}

/** Empties a form, and says nothing more of what was wrong with it. */
export function clearForm(form: HTMLFormElement): void {
  form.reset();
  clearErrors(form);
  form.querySelector(".otp")?.remove();
}

const isBusy = (button: HTMLButtonElement) => button.ariaDisabled === "true";

/** Not `disabled`: that would take the focus away. */
async function whileBusy(button: HTMLButtonElement, act: () => Promise<void>): Promise<void> {
  button.ariaDisabled = "true";
  await act().finally(() => {
    button.ariaDisabled = null;
  });
}

function clearErrors(form: HTMLFormElement): void {
  for (const message of form.querySelectorAll(".error")) message.remove();
  for (const input of inputsOf(form)) {
    input.ariaInvalid = null;
    describe(input);
  }
}

/** Has what stands at a field read with it: the hint, and what is wrong. */
function describe(input: HTMLInputElement): void {
  const ids = [`${input.id}-hint`, `${input.id}-error`].filter((id) => document.getElementById(id));
  if (ids.length > 0) input.setAttribute("aria-describedby", ids.join(" "));
  else input.removeAttribute("aria-describedby");
}

/** A field of a form, and what is wrong with it. */
type Fault = [HTMLInputElement, string];

const inputsOf = (form: HTMLFormElement) => [...form.querySelectorAll("input")];
const labelOf = (input: HTMLInputElement) => input.labels?.[0]?.textContent ?? input.name;

function findMissing(form: HTMLFormElement): Fault[] {
  const missing = inputsOf(form).filter(({ validity }) => validity.valueMissing);
  return missing.map((input) => [input, `${labelOf(input)} is missing.`]);
}

/** Faults go to their fields by JSON Pointer (`#/password`), a refusal to the field that names its code. */
function findRefused(form: HTMLFormElement, { code, errors, message }: AuthError): Fault[] {
  return inputsOf(form).flatMap((input): Fault[] => {
    const fault = errors?.find(({ pointer }) => pointer === `#/${input.name}`);
    if (fault) return [[input, `${labelOf(input)} ${fault.detail}`]];
    return input.dataset.refusal?.split(" ").includes(code) ? [[input, message]] : [];
  });
}

/** Says what went wrong with a form: at the field that it belongs to, or under the form. */
export function showError(form: HTMLFormElement, error: unknown): void {
  if (isEnd(error)) {
    say(ended);
    return;
  }
  if (error instanceof AuthError && showFaults(findRefused(form, error))) return;
  if (error instanceof AuthError && error.code === "second_factor_required") {
    askOtp(form);
    return;
  }
  const message = create("p", explain(error));
  message.className = "error";
  message.role = "alert";
  form.append(message);
}

/** Shows what is wrong at each field, and goes to the first; answers whether there is any. */
function showFaults(faults: Fault[]): boolean {
  for (const [input, text] of faults) {
    const message = create("p", text);
    message.className = "error";
    message.id = `${input.id}-error`;
    input.after(message);
    input.ariaInvalid = "true";
    describe(input);
  }
  faults[0]?.[0].focus();
  return faults.length > 0;
}

/** Adds the field for the second factor, and goes there: what else was typed stays. */
function askOtp(form: HTMLFormElement): void {
  const input = create("input");
  const label = create("label");
  const other = create("button");
  input.id = label.htmlFor = `${form.id}-otp`;
  Object.assign(input, { name: "otp", required: true, spellcheck: false, autocapitalize: "none" });
  input.dataset.refusal = "second_factor_required invalid_otp";
  Object.assign(other, { type: "button", className: "link" });
  const show = (isRecovery: boolean) => {
    label.textContent = isRecovery ? "Recovery code" : "Code from your authenticator app";
    other.textContent = isRecovery ? "Use the app instead" : "Use a recovery code instead";
    input.inputMode = isRecovery ? "text" : "numeric";
    input.autocomplete = isRecovery ? "off" : "one-time-code";
    input.value = "";
    other.onclick = () => show(!isRecovery);
    input.focus();
  };
  const part = create("div", label, input, other);
  part.className = "otp";
  form.querySelector("button[type=submit]")?.before(part);
  show(false);
}
