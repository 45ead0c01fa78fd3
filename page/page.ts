const state = document.querySelector("#state");
const answer = await fetch("/auth/me");
if (state) state.textContent = answer.ok ? "You are logged in." : "You are not logged in.";
