import { generate } from "lean-qr/nano";
import { type Account, AuthError } from "../client/auth-client.ts";
import type { FactorClient } from "../client/factors.ts";
import { create, createTime, find } from "./elements.ts";
import { clearForm, createFailure, onClick, onSubmit } from "./form.ts";
import { say } from "./notice.ts";
import { isHere } from "./routes.ts";
import type { Fresh } from "./step-up.ts";

const [factor, setup, codes] = ["factor", "totp", "codes"].map((id) => find(id, HTMLElement)) as [
  HTMLElement,
  HTMLElement,
  HTMLElement,
];
const text = find("factor-text", HTMLElement);
const buttons = find("factor-buttons", HTMLElement);
const start = find("start-totp", HTMLButtonElement);
const [renew, disable] = ["renew-codes", "disable-totp"].map((id) => find(id, HTMLButtonElement));
const form = find("confirm-totp", HTMLFormElement);
const [canvas, secret] = [find("totp-qr", HTMLCanvasElement), find("totp-secret", HTMLElement)];
const list = find("codes-list", HTMLUListElement);
const black = [0, 0, 0] as const;
const white = [255, 255, 255] as const;

/** The rest of the page. */
interface Rest {
  fresh: Fresh;
  /** Asks anew what the account has. */
  reload(): Promise<void>;
  /** Ends all other sessions. */
  endOthers(): Promise<void>;
  /** Answers whether there are any. */
  hasOthers(): boolean;
}

/** Sets up the part about the second factor. */
export function setUpFactor(factors: FactorClient, { fresh, reload, endOthers, hasOthers }: Rest): void {
  let enrolment = "";

  onClick(start, async () => {
    const begun = await fresh(() => factors.startTotp());
    enrolment = begun.enrolment;
    // Black on white also in the dark: some apps read nothing else.
    generate(begun.uri).toCanvas(canvas, { on: black, off: white, pad: 4 });
    secret.textContent = begun.secret.replace(/....(?=.)/g, "$& ");
    clearForm(form);
    showPart(setup);
  });

  onSubmit(form, async ({ otp = "" }) => {
    const made = await fresh(() => factors.confirmTotp({ enrolment, otp })).catch((error: unknown) => {
      if (!(error instanceof AuthError) || !error.errors?.some(({ pointer }) => pointer === "#/enrolment"))
        throw error;
      throw new AuthError(error.status, {
        detail: "That took more than ten minutes. Cancel, and begin again.",
      });
    });
    await reload();
    showCodes(made, true);
    say("The authenticator app is set up.");
  });
  onClick(find("cancel-totp", HTMLButtonElement), async () => closeParts(true));

  onClick(renew as HTMLButtonElement, async () => {
    const made = await fresh(() => factors.renewRecoveryCodes());
    await reload();
    showCodes(made, false);
    say("The old recovery codes no longer work.");
  });
  onClick(disable as HTMLButtonElement, async () => {
    await fresh(() => factors.disableTotp());
    await reload();
    find("factor-heading", HTMLElement).focus();
    say("The app is switched off. A login asks for no code any more.");
  });

  function showCodes(made: string[], isFirst: boolean): void {
    list.replaceChildren(...made.map((code) => create("li", create("code", code))));
    find("codes-others", HTMLElement).hidden = !isFirst || !hasOthers();
    showPart(codes);
  }
  const copy = find("copy-codes", HTMLButtonElement);
  // Only there on a page that came encrypted, or from this machine.
  copy.hidden = !navigator.clipboard;
  onClick(copy, async () => {
    await navigator.clipboard.writeText(textOfCodes());
    say("Copied.");
  });
  onClick(find("save-codes", HTMLButtonElement), async () => {
    const link = create("a");
    link.href = URL.createObjectURL(new Blob([textOfCodes()], { type: "text/plain" }));
    link.download = "recovery-codes.txt";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  onClick(find("codes-end-others", HTMLButtonElement), async () => {
    await endOthers();
    find("codes-others", HTMLElement).hidden = true;
    find("codes-heading", HTMLElement).focus();
  });
  onClick(find("done-codes", HTMLButtonElement), async () => closeParts(true));
}

/** Shows what the second factor of the account is; `isProven`: one may be set up. */
export function showFactor({ totp, recoveryCodesLeft }: Account, isProven: boolean): void {
  buttons.hidden = !isProven && !totp;
  start.hidden = !isProven;
  text.replaceChildren(
    ...(totp
      ? [
          "On since ",
          createTime(totp.confirmedAt, { dateStyle: "medium" }),
          `. ${recoveryCodesLeft} of 10 recovery codes left.`,
        ]
      : ["With it, a login also asks for a code that an app on your phone shows."]),
  );
  start.textContent = totp ? "Use another app" : "Set it up";
  for (const button of [renew, disable]) if (button) button.hidden = !totp;
}

/** Says why it is not known what the second factor is, with a button that asks again. */
export function showNoFactor(why: string, ask: () => Promise<void>): void {
  buttons.hidden = true;
  text.replaceChildren(...createFailure(why, "Ask again", ask));
}

/** Shows what the account has, in the place of a set-up or of codes; nothing of those stays. */
export function closeParts(isAsked = false): void {
  list.replaceChildren();
  secret.textContent = "";
  canvas.width = 0;
  clearForm(form);
  showPart(factor, isAsked);
}

/** The recovery codes that are shown, one a line. */
const textOfCodes = () => [...list.children].map((each) => `${each.textContent}\n`).join("");

/** Shows one part, and takes the focus there. */
function showPart(part: HTMLElement, isAsked = true): void {
  for (const each of [factor, setup, codes]) each.hidden = each !== part || !isHere(factor);
  if (isAsked) part.querySelector("h2")?.focus();
}
