import { type Account, AuthError, type Claims } from "../client/auth-client.ts";
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
/** Where a tab keeps who has to log in once more, which leads away from the page. */
const onceName = "once-more";

/** The rest of the page. */
interface Rest {
  fresh: Fresh;
  /** Answers whose page this is, while somebody is logged in. */
  who(): Claims | undefined;
  /** Somebody has logged in, or something else opens the account; the text may depend on who it is. */
  welcome(text: string | (() => string), values?: Values): Promise<void>;
  /** Asks anew what the account has. */
  reload(): Promise<void>;
}

/** Sets up the sign-in with providers, and the list of identities. */
export function setUpSignIn(signIn: SignInClient, { fresh, who, welcome, reload }: Rest) {
  let providers: Provider[] = [];
  let identities: Identity[] = [];
  /** Who was to log in once more, where a provider has returned from that. */
  let once: string | undefined;
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
    else await welcome(describeLogin, values);
  }

  function describeLogin(): string {
    const user = who();
    if (!once || !user) return "Logged in.";
    return user.sub === once
      ? "It is you. Press the button once more."
      : `You signed in as ${user.email}, which is another account. Nothing was changed.`;
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
      const state = new URLSearchParams(location.search).get("state");
      if (!state) return undefined;
      once = takeOnce(state);
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

    /** Forgets whose they were. */
    clear(): void {
      identities = [];
      showList();
    },

    /** The buttons by which somebody logs in once more with what is linked. */
    createWaysBack(): HTMLButtonElement[] {
      const linked = providers.filter(({ id }) => identities.some(({ provider }) => provider === id));
      const sub = who()?.sub;
      return linked.map((each) =>
        createButton(`Continue with ${each.name}`, () =>
          signIn.signInWith(each.id, {
            ...optionsOf(each),
            open(url) {
              noteOnce(new URL(url).searchParams.get("state"), sub);
              location.assign(url);
            },
          }),
        ),
      );
    },
  };
}

/** Another sign-in has another state: only this one is once more. */
function noteOnce(state: string | null, sub: string | undefined): void {
  try {
    sessionStorage.setItem(onceName, `${state} ${sub}`);
  } catch {
    // Then it is not said.
  }
}

/** Answers who was to come back with this state; whatever was noted is over then. */
function takeOnce(state: string): string | undefined {
  try {
    const [noted, sub] = (sessionStorage.getItem(onceName) ?? "").split(" ");
    sessionStorage.removeItem(onceName);
    return noted === state ? sub : undefined;
  } catch {
    return undefined;
  }
}
