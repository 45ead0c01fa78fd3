import { createAuthClient } from "serverless-auth-client";

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

const find = (id) => document.getElementById(id);

/** Shows what there is for this user, or the form to log in. */
async function show(user) {
  find("login").hidden = Boolean(user);
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

/** Whoever is there; undefined for nobody. */
const findUser = () =>
  auth.me().catch((error) => {
    if (error.status !== 401) throw error;
  });
run(async () => show(await findUser()));
