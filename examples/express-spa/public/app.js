import { createAuthClient } from "./client/auth-client.js";

const find = (id) => document.getElementById(id);
const say = (text) => {
  find("message").textContent = text;
};
const auth = createAuthClient({ onSessionEnd: () => show(undefined) });

/** Shows what there is for this user, or the form to log in. */
async function show(user) {
  find("login").hidden = Boolean(user);
  find("order").hidden = !user;
  say(user ? `Hello ${user.email}` : "Log in, or register.");
  list(user ? await (await auth.fetch("/orders")).json() : []);
}

function list(items) {
  const entries = items.map((item) => Object.assign(document.createElement("li"), { textContent: item }));
  find("orders").replaceChildren(...entries);
}

/** Runs what a form or a button asks for; what is refused is said. */
const answer = (handle) => (event) => {
  event.preventDefault();
  handle(event).catch((error) => say(error.message));
};

find("login").addEventListener(
  "submit",
  answer(async ({ target, submitter }) => {
    const credentials = Object.fromEntries(new FormData(target));
    if (submitter.value === "register") await auth.register(credentials);
    await auth.login(credentials);
    target.reset();
    await show(await auth.me());
  }),
);
find("order").addEventListener(
  "submit",
  answer(async ({ target }) => {
    const body = JSON.stringify(Object.fromEntries(new FormData(target)));
    const headers = { "content-type": "application/json" };
    list(await (await auth.fetch("/orders", { method: "POST", headers, body })).json());
    target.reset();
  }),
);
find("logout").addEventListener(
  "click",
  answer(async () => {
    await auth.logout();
    await show(undefined);
  }),
);

show(await auth.me().catch(() => undefined));
