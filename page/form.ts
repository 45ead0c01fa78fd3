import { AuthError } from "../client/auth-client.ts";
import { create } from "./elements.ts";
import { explain, say } from "./notice.ts";

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
    const values = Object.fromEntries(new FormData(form)) as Record<string, string>;
    await whileBusy(button, async () => {
      say(form.dataset.waiting ?? "");
      try {
        await act(values);
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
    await whileBusy(button, () => act().catch((error: unknown) => say(explain(error))));
  });
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
  for (const input of form.querySelectorAll("input")) {
    input.ariaInvalid = null;
    input.removeAttribute("aria-describedby");
  }
}

/** Each fault goes to its field by its JSON Pointer (`#/password`), anything else under the form. */
function showError(form: HTMLFormElement, error: unknown): void {
  const faults = error instanceof AuthError ? (error.errors ?? []) : [];
  const inputs = faults.flatMap(({ pointer, detail }) => {
    const input = form.elements.namedItem(pointer.slice("#/".length));
    if (!(input instanceof HTMLInputElement)) return [];
    showFault(input, detail);
    return [input];
  });
  inputs[0]?.focus();
  if (inputs.length > 0) return;
  const message = create("p", explain(error));
  message.className = "error";
  message.role = "alert";
  form.append(message);
}

function showFault(input: HTMLInputElement, detail: string): void {
  const label = input.labels?.[0]?.textContent ?? input.name;
  const message = create("p", `${label} ${detail}`);
  message.className = "error";
  message.id = `${input.id}-error`;
  input.after(message);
  input.ariaInvalid = "true";
  input.setAttribute("aria-describedby", message.id);
}
