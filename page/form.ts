import { AuthError } from "../client/auth-client.ts";
import { create } from "./elements.ts";
import { ended, explain, isEnd, say, takeBack } from "./notice.ts";

/** Does something with what a form holds, at each submission; what the API refuses is shown where it was typed. */
export function onSubmit(
  form: HTMLFormElement,
  act: (values: Record<string, string>) => Promise<void>,
): void {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (!button || isBusy(button)) return;
    clearErrors(form);
    if (showFaults(findMissing(form))) return;
    const values = Object.fromEntries(new FormData(form)) as Record<string, string>;
    await whileBusy(button, async () => {
      const waiting = form.dataset.waiting ?? "";
      say(waiting);
      try {
        await act(values);
        takeBack(waiting);
        form.reset();
      } catch (error) {
        say("");
        showError(form, error);
      }
    });
  });
}

/** Does something at each click; where that fails, the page says why. */
export function onClick(button: HTMLButtonElement, act: () => Promise<void>): void {
  button.addEventListener("click", async () => {
    if (isBusy(button)) return;
    say("");
    await whileBusy(button, () => act().catch((error: unknown) => say(explain(error))));
  });
}

/** Empties all forms: no password stays for whoever is there next. */
export function clearForms(): void {
  for (const form of document.forms) clearForm(form);
}

/** Empties a form, and says nothing more of what was wrong with it. */
export function clearForm(form: HTMLFormElement): void {
  form.reset();
  clearErrors(form);
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
    input.removeAttribute("aria-describedby");
  }
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

/** What belongs to no field stands under the form. */
function showError(form: HTMLFormElement, error: unknown): void {
  if (isEnd(error)) {
    say(ended);
    return;
  }
  if (error instanceof AuthError && showFaults(findRefused(form, error))) return;
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
    input.setAttribute("aria-describedby", message.id);
  }
  faults[0]?.[0].focus();
  return faults.length > 0;
}
