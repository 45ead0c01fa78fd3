import { afterAll, expect, test } from "@jest/globals";
import { startProvider } from "../../local/provider.ts";
import { startHeldSite } from "./support/held-site.ts";
import { click, isLoggedIn } from "./support/site.ts";

// A provider on another site that returns by a form, as Apple does: no cookie comes with that, and none is needed.

let provider: Awaited<ReturnType<typeof startProvider>>;
const site = await startHeldSite(async (url) => {
  provider = await startProvider({ port: 0, redirectUris: [`${url}/auth/external/test/form`] });
  // Whoever has signed in there is asked nothing the next time: the form is then posted without a click.
  const { prompt: _, ...entry } = provider.entry;
  const posting = { ...entry, responseMode: "form_post", page: `${url}/signed-in/test` };
  return {
    IDENTITY_PROVIDERS: JSON.stringify([posting]),
    PROVIDER_KEYS: JSON.stringify(provider.keys),
  };
});
afterAll(() => provider.stop());

test("X65 the form of another site comes without a cookie, the page behind it ends the sign-in: clicked, and without a click", async () => {
  const page = await site.open();
  const posted: Promise<Record<string, string>>[] = [];
  page.context().on("request", (request) => {
    if (request.url().endsWith("/form")) posted.push(request.allHeaders());
  });
  const email = "form@example.com";
  await click(page, "Continue with Test provider");
  await page.getByRole("heading", { name: "Test provider" }).waitFor();
  await page.getByLabel("E-mail address").fill(email);
  await click(page, "Sign in");
  await isLoggedIn(page, { email });
  expect(new URL(page.url()).search).toBe("");
  await click(page, "Log out");
  await click(page, "Continue with Test provider");
  await isLoggedIn(page, { email });
  expect((await Promise.all(posted)).map(({ cookie }) => cookie)).toEqual([undefined, undefined]);
});
