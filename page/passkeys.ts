import { AuthError } from "../client/auth-client.ts";
import type { Passkey, PasskeyClient } from "../client/passkeys.ts";
import { create, createTime, find } from "./elements.ts";
import { createButton, createFailure, onClick, onSubmit } from "./form.ts";
import { explain, say } from "./notice.ts";
import { isHere } from "./routes.ts";
import type { Fresh } from "./step-up.ts";

const part = find("passkeys", HTMLElement);
const text = find("passkeys-text", HTMLElement);
const list = find("passkeys-list", HTMLUListElement);
const form = find("add-passkey", HTMLFormElement);
const signIn = find("to-passkey", HTMLButtonElement);
const isKnownHere = "PublicKeyCredential" in globalThis;

/** The rest of the page. */
interface Rest {
  fresh: Fresh;
  /** Somebody has logged in. */
  welcome(text: string): Promise<void>;
}

/** What the rest of the page needs of it. */
export type PasskeyPart = ReturnType<typeof setUpPasskeys>;

/** Sets up the list of passkeys, and the sign-in with one. */
export function setUpPasskeys(passkeys: PasskeyClient, { fresh, welcome }: Rest) {
  let waiting: AbortController | undefined;
  /** Undefined: not known. */
  let listed: Passkey[] | undefined;
  /** How often the list was asked for: only the last answer counts. */
  let asked = 0;
  /** Nothing else opens the account before its address is proven. */
  let mayAdd = false;
  signIn.hidden ||= !isKnownHere;

  onClick(signIn, async () => {
    try {
      await passkeys.signInWithPasskey();
    } catch (error) {
      void wait();
      throw error;
    }
    await welcome("Logged in.");
  });

  onSubmit(form, async ({ name }) => {
    await fresh(() => passkeys.addPasskey(name ? { name } : {}));
    await show();
    say("The passkey is added.");
  });

  /** Offers passkeys among what the browser fills in, until somebody logs in. */
  async function wait(): Promise<void> {
    if (signIn.hidden || waiting) return;
    const own = new AbortController();
    waiting = own;
    try {
      await passkeys.signInWithPasskey({ conditional: true, signal: own.signal });
      await welcome("Logged in.");
    } catch (error) {
      // Nobody has asked for anything, until a passkey was chosen.
      if (error instanceof AuthError && error.status === 401) say(explain(error));
    } finally {
      if (waiting === own) waiting = undefined;
    }
  }
  // A passkey that was refused is no reason to offer none any more.
  find("login-email", HTMLInputElement).addEventListener("focus", () => void wait());

  /** Lists the passkeys. That it fails is said at the list. */
  async function show(): Promise<void> {
    if (!isHere(part)) return;
    const own = ++asked;
    form.hidden = true;
    try {
      const found = await passkeys.passkeys();
      if (own !== asked) return;
      listed = found;
      list.replaceChildren(...found.map(createRow));
      text.textContent = describe(found);
      form.hidden = !mayAdd || !isKnownHere;
    } catch (error) {
      if (own !== asked) return;
      text.textContent = "";
      list.replaceChildren(create("li", ...createFailure(explain(error), "List them again", show)));
    }
  }

  function createRow(passkey: Passkey): HTMLLIElement {
    const { passkeyId, name, createdAt, lastUsedAt, isBackedUp } = passkey;
    const style = { dateStyle: "medium" } as const;
    const details = create("span", "since ", createTime(createdAt, style));
    if (lastUsedAt !== null) details.append(", last used ", createTime(lastUsedAt, style));
    if (!isBackedUp) details.append(", on one device only");
    details.className = "details";
    const row = create("li", create("div", create("strong", name), create("br"), details));
    const rename = createButton(
      "Rename",
      async () => row.replaceChildren(createRenaming(passkey, row)),
      name,
    );
    const remove = createButton(
      "Remove",
      async () => {
        await fresh(() => passkeys.removePasskey(passkeyId));
        await show();
        find("passkeys-heading", HTMLElement).focus();
        say("The passkey is removed: it opens the account no more.");
      },
      name,
    );
    const buttons = create("span", rename, remove);
    buttons.className = "buttons";
    row.append(buttons);
    return row;
  }

  /** A form in the place of a row. */
  function createRenaming(passkey: Passkey, row: HTMLLIElement): HTMLFormElement {
    const { passkeyId, name } = passkey;
    const input = create("input");
    Object.assign(input, { name: "name", defaultValue: name, maxLength: 64, required: true });
    input.autocomplete = "off";
    input.id = `rename-${passkeyId}`;
    const label = create("label", "Name");
    label.htmlFor = input.id;
    const submit = create("button", "Keep the name");
    const cancel = createButton("Cancel", async () => {
      const fresh = createRow(passkey);
      row.replaceWith(fresh);
      fresh.querySelector("button")?.focus();
    });
    submit.type = "submit";
    const buttons = create("span", submit, cancel);
    buttons.className = "buttons";
    const renaming = create("form", label, input, buttons);
    renaming.noValidate = true;
    onSubmit(renaming, async (values) => {
      await passkeys.renamePasskey(passkeyId, values.name ?? "");
      await show();
      find("passkeys-heading", HTMLElement).focus();
      say("The passkey has that name now.");
    });
    queueMicrotask(() => input.select());
    return renaming;
  }

  return {
    wait,
    /** Offers no passkeys any more: somebody is logged in. */
    stop: () => waiting?.abort(),

    /** Lists them; `isProven`: new ones may be added. */
    show(isProven: boolean): Promise<void> {
      mayAdd = isProven;
      return show();
    },

    /** Answers whether there may be one, and this browser knows what that is. */
    has: () => isHere(part) && isKnownHere && listed?.length !== 0,
    /** Logs in once more, with one of those. */
    again: () => passkeys.signInWithPasskey({ only: listed ?? [] }),

    /** Forgets whose they were. */
    clear(): void {
      asked++;
      listed = undefined;
      list.replaceChildren();
      text.textContent = "";
      form.hidden = true;
    },
  };
}

function describe(listed: Passkey[]): string {
  if (!isKnownHere) return "This browser knows no passkeys.";
  const [first, ...others] = listed;
  if (!first) return "";
  return others.length === 0 && !first.isBackedUp
    ? "It is on one device only. Add another one, for the day on which that device is gone."
    : "";
}
