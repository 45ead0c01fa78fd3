import { type Account, AuthError } from "../client/auth-client.ts";
import type { Identity, Provider, SignInClient } from "../client/sign-in.ts";
import { create, createTime, find } from "./elements.ts";
import { createButton, createFailure, onClick, onSubmit, otpOf, showError, type Values } from "./form.ts";
import { explain, say } from "./notice.ts";
import { isHere, root } from "./routes.ts";
import type { Fresh } from "./step-up.ts";

const buttons = find("providers", HTMLElement);
const returned = find("returned", HTMLElement);
const heading = find("returned-heading", HTMLElement);
const form = find("returned-form", HTMLFormElement);
const goOn = find("returned-go-on", HTMLButtonElement);
const close = find("returned-close", HTMLButtonElement);
const list = find("identities-list", HTMLUListElement);
const linkButtons = find("identities-link", HTMLElement);
const ownHeading = find("identities-heading", HTMLElement);
/** Where a tab keeps that somebody has to log in once more, which leads away from the page. */
const againName = "once-more";

/** The rest of the page. */
interface Rest {
  fresh: Fresh;
  /** Somebody has logged in, or something else opens the account. */
  welcome(text: string, values?: Values): Promise<void>;
  /** Asks anew what the account has. */
  reload(): Promise<void>;
}

/** Sets up the sign-in with providers, and the list of identities. */
export function setUpSignIn(signIn: SignInClient, { fresh, welcome, reload }: Rest) {
  let providers: Provider[] = [];
  let identities: Identity[] = [];
  const listed = isHere(buttons) ? listProviders() : undefined;

  const nameOf = (id: string | null) => providers.find((each) => each.id === id)?.name ?? id ?? "A provider";
  const optionsOf = ({ id }: Provider) => ({ redirectUri: `${root}signed-in/${id}` });

  async function listProviders(): Promise<void> {
    try {
      providers = await signIn.providers();
      buttons.replaceChildren(
        ...providers.map((each) =>
          createButton(`Continue with ${each.name}`, () => signIn.signInWith(each.id, optionsOf(each))),
        ),
      );
      linkButtons.replaceChildren(
        ...providers.map((each) =>
          createButton(`Link ${each.name}`, () => fresh(() => signIn.linkWith(each.id, optionsOf(each)))),
        ),
      );
      showList();
    } catch (error) {
      buttons.replaceChildren(...createFailure(explain(error), "List the providers again", listProviders));
    }
  }

  async function finish(values: Values = {}): Promise<void> {
    const finished = await signIn.finishSignIn(otpOf(values));
    returned.hidden = true;
    if (!finished) return;
    await listed;
    if (finished.linked) await welcome(`${nameOf(finished.provider)} opens your account now.`);
    else await welcome(takeAgain() ? "It is you. Press the button once more." : "Logged in.", values);
  }

  onSubmit(form, finish);
  onClick(close, async () => form.reset());
  // It is emptied when somebody has logged in, too.
  form.addEventListener("reset", () => {
    returned.hidden = true;
  });

  function showList(): void {
    list.replaceChildren(...identities.map(createRow));
  }

  function createRow({ identityId, provider, email, linkedAt }: Identity): HTMLLIElement {
    const name = nameOf(provider);
    const details = create("span", "since ", createTime(linkedAt, { dateStyle: "medium" }));
    if (email !== null) details.prepend(`${email}, `);
    details.className = "details";
    const unlink = async () => {
      await fresh(() => signIn.unlink(identityId));
      await reload();
      ownHeading.focus();
      say(`${name} opens your account no more, and all other sessions have ended.`);
    };
    return create(
      "li",
      create("div", create("strong", name), create("br"), details),
      createButton("Unlink", unlink, email ? `${name}, ${email}` : name),
    );
  }

  return {
    /** Ends what a provider has returned with, if this page was opened so; resolves to what went wrong. */
    async finish(): Promise<unknown> {
      if (!new URLSearchParams(location.search).has("state")) return undefined;
      returned.hidden = false;
      try {
        await finish();
        return undefined;
      } catch (error) {
        return error;
      } finally {
        // A reload, and whatever else is begun, is at the page's own address.
        for (const link of document.links) link.href = `${link.href}`;
        history.replaceState(null, "", root + location.hash);
      }
    },

    /** Says why that did not work, and lets somebody try again who can. */
    showFailure(error: unknown): void {
      const { status = 400, code = "" } = error instanceof AuthError ? error : {};
      const isOtpMissing = code === "second_factor_required";
      const isOver = !isOtpMissing && code !== "network_error" && status !== 429 && status < 500;
      heading.textContent = isOtpMissing ? "One more step" : "That did not work";
      goOn.hidden = isOver;
      goOn.textContent = isOtpMissing ? "Log in" : "Try again";
      close.hidden = false;
      returned.hidden = false;
      heading.focus();
      showError(form, error);
    },

    /** Shows what is linked; `isProven`: more may be. */
    show(account: Account, isProven: boolean): void {
      identities = account.identities;
      linkButtons.hidden = !isProven;
      showList();
    },

    /** The buttons by which somebody logs in once more with what is linked. */
    createWaysBack(): HTMLButtonElement[] {
      const linked = providers.filter(({ id }) => identities.some(({ provider }) => provider === id));
      return linked.map((each) =>
        createButton(`Continue with ${each.name}`, async () => {
          noteAgain();
          await signIn.signInWith(each.id, optionsOf(each));
        }),
      );
    },
  };
}

function noteAgain(): void {
  try {
    sessionStorage.setItem(againName, "yes");
  } catch {
    // Then it is not said.
  }
}

function takeAgain(): boolean {
  try {
    const isAgain = sessionStorage.getItem(againName) !== null;
    sessionStorage.removeItem(againName);
    return isAgain;
  } catch {
    return false;
  }
}
