import { AuthError } from "../client/auth-client.ts";
import { find } from "./elements.ts";
import { clearForm, onClick, onSubmit, otpOf, userGone } from "./form.ts";

/** How somebody who is logged in logs in once more. */
interface Ways {
  password(proof: { password: string; otp?: string }): Promise<void>;
  passkey(): Promise<void>;
  /** Answers whether there is a password, or a passkey, to do it with. */
  hasPassword(): boolean;
  hasPasskey(): boolean;
  /** Buttons of the providers to do it with; they lead away from the page. */
  createProviders(): HTMLButtonElement[];
}

/** Does something that the API may want a login of just now for: then it asks for one, and does it again. */
export type Fresh = <T>(act: () => Promise<T>) => Promise<T>;

const dialog = find("step-up", HTMLDialogElement);
const form = find("step-up-form", HTMLFormElement);
const byPasskey = find("step-up-passkey", HTMLButtonElement);

/** Sets up the dialog of a login once more. Whoever closes it is refused with `cancelled`. */
export function setUpStepUp(ways: Ways): Fresh {
  let settle: ((error?: AuthError) => void) | undefined;

  /** What was waited for is done: closing the dialog cancels nothing any more. If it is closed, somebody else may have logged in. */
  function succeed(): void {
    if (!dialog.open) return;
    settle?.();
    dialog.close();
  }

  onSubmit(form, async (values) => {
    await ways.password({ password: values.password ?? "", ...otpOf(values) });
    succeed();
  });
  onClick(
    byPasskey,
    async () => {
      await ways.passkey();
      succeed();
    },
    form,
  );
  find("step-up-cancel", HTMLButtonElement).onclick = () => dialog.close();
  dialog.addEventListener("close", () => {
    clearForm(form);
    settle?.(new AuthError(0, { code: dialog.returnValue || "cancelled", detail: "Nothing was changed." }));
  });

  function ask(): Promise<void> {
    form.hidden = !ways.hasPassword();
    byPasskey.hidden = !ways.hasPasskey();
    find("step-up-providers", HTMLElement).replaceChildren(...ways.createProviders());
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve, reject) => {
      settle = (error) => (error ? reject(error) : resolve());
    });
  }

  return async (act) => {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof AuthError) || error.code !== "insufficient_user_authentication") throw error;
    }
    await ask();
    return act();
  };
}

/** Closes the dialog: whoever was to log in once more is there no more. */
export const closeStepUp = (): void => dialog.close(userGone);
