"use client";

import { useRouter } from "next/navigation";
import { type SubmitEvent, useEffect, useState } from "react";
import { getClient } from "./client";

/** Runs what was asked for, and has the page rendered again; what is refused is said. */
function useTask() {
  const router = useRouter();
  const [message, setMessage] = useState("");
  const run = (task: () => Promise<unknown>) =>
    task().then(
      () => router.refresh(),
      (error: Error) => setMessage(error.message),
    );
  return { message, run };
}

/**
 * What is rendered where a request came without a live token. There may be a session all the same: its token has expired, or a
 * link on another site led here, which brings no `SameSite=Strict` cookie. So it asks first; the client renews where it must.
 */
export function SignIn() {
  const { message, run } = useTask();
  const router = useRouter();
  useEffect(() => {
    getClient()
      .me()
      .then(() => router.refresh())
      .catch(() => {});
  }, [router]);

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const { currentTarget, nativeEvent } = event;
    const { email, password } = Object.fromEntries(new FormData(currentTarget)) as Record<string, string>;
    const credentials = { email, password };
    run(async () => {
      if ((nativeEvent.submitter as HTMLButtonElement).value === "register")
        await getClient().register(credentials);
      await getClient().login(credentials);
    });
  }
  return (
    <form onSubmit={submit}>
      <p role="status">{message || "Log in, or register."}</p>
      <label>
        E-mail <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit" value="login">
        Log in
      </button>
      <button type="submit" value="register">
        Register
      </button>
    </form>
  );
}

/** The client renews the session as long as the page is open: so it is made here, though nothing is asked of it yet. */
export function LogOut() {
  const { message, run } = useTask();
  useEffect(() => void getClient(), []);
  return (
    <p role="status">
      <button type="button" onClick={() => run(() => getClient().logout())}>
        Log out
      </button>
      {message}
    </p>
  );
}

export function Order() {
  const { message, run } = useTask();
  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const body = JSON.stringify(Object.fromEntries(new FormData(form)));
    run(async () => {
      const headers = { "content-type": "application/json" };
      const response = await getClient().fetch("/orders", { method: "POST", headers, body });
      if (!response.ok) throw new Error(`The order was refused: ${response.status}.`);
      form.reset();
    });
  }
  return (
    <form onSubmit={submit}>
      <label>
        Item <input name="item" required />
      </label>
      <button type="submit">Order</button>
      <span role="status">{message}</span>
    </form>
  );
}
