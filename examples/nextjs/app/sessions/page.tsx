import { headers } from "next/headers";
import { SignIn } from "../session";

/** Rendered with what the API answers. The cookie goes on as it came: `cookies()` would decode it, and the API refuses that. */
export default async function Page() {
  const { AUTH_URL = "http://localhost:3000" } = process.env;
  const cookie = (await headers()).get("cookie") ?? "";
  const answer = await fetch(`${AUTH_URL}/auth/sessions`, { headers: { cookie } });
  if (answer.status === 401) return <SignIn />;
  if (!answer.ok) throw new Error(`GET /auth/sessions: ${answer.status}`);
  const { sessions }: { sessions: { sessionId: string; createdAt: number }[] } = await answer.json();
  return (
    <>
      <h1>Your sessions</h1>
      <ul>
        {sessions.map(({ sessionId, createdAt }) => (
          <li key={sessionId}>since {new Date(createdAt * 1000).toUTCString()}</li>
        ))}
      </ul>
    </>
  );
}
