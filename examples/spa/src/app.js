import { createAuthClient } from "serverless-auth-client";
import { createSignInClient } from "serverless-auth-client/sign-in";

const { VITE_AUTH_URL: baseUrl, VITE_BEARER } = import.meta.env;

// For a page on another site than the API, where no cookie is kept: it holds the tokens itself, until it is reloaded.
let pair;
const tokens = {
  load: () => pair,
  save(saved) {
    pair = saved;
  },
};
const auth = createAuthClient({
  ...(baseUrl && { baseUrl }), // unset: the page's own origin
  ...(VITE_BEARER && { tokens }),
  onSessionEnd: () => show(undefined),
});

const signIn = createSignInClient(auth);

const find = (id) => document.getElementById(id);

/** Shows what there is for this user, or the form to log in. */
async function show(user) {
  find("login").hidden = Boolean(user);
  find("providers").hidden = Boolean(user);
  find("logout").hidden = !user;
  find("message").textContent = user ? `Hello ${user.email}` : "Log in, or register.";
  const response = user && (await auth.fetch("/movies"));
  const movies = response?.ok ? await response.json() : [];
  const entries = movies.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
  find("movies").replaceChildren(...entries);
}

/** Runs what was asked for; what is refused is said. */
async function run(task) {
  try {
    await task();
  } catch (error) {
    find("message").textContent = error.message;
  }
}

find("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const { target, submitter } = event;
  const credentials = Object.fromEntries(new FormData(target));
  run(async () => {
    if (submitter.value === "register") await auth.register(credentials);
    await auth.login(credentials);
    target.reset();
    await show(await auth.me());
  });
});
find("logout").addEventListener("click", () => run(() => auth.logout().then(() => show(undefined))));

/** A button for each provider, if the API knows any. Each returns to this page under another path. */
async function showProviders() {
  const providers = await signIn.providers().catch(() => []);
  for (const { id, name } of providers) {
    const button = Object.assign(document.createElement("button"), { textContent: `Continue with ${name}` });
    const redirectUri = `${location.origin}/signed-in/${id}`;
    button.addEventListener("click", () => run(() => signIn.signInWith(id, { redirectUri })));
    find("providers").append(button);
  }
}

/** Whoever is there; undefined for nobody. */
const findUser = () =>
  auth.me().catch((error) => {
    if (error.status !== 401) throw error;
  });
void showProviders();
run(async () => {
  // First of all: a provider may have led here.
  const refusal = await signIn.finishSignIn().catch((error) => error);
  await show(await findUser());
  if (refusal instanceof Error) throw refusal;
});
