// Talking to the server: who is logged in, and requests in their name.

const ADMIN = "/api/_admin";
const AUTH = "/api/auth/v1";
const KEPT = "trail_operations"; // refresh token in the tab's storage: gone when it is closed

let session = null; // {auth_token, refresh_token, csrf_token}

export class Refusal extends Error {
  constructor(status, text) {
    super(text || `The server answered ${status}.`);
    this.status = status;
  }
}

function keep(tokens) {
  session = tokens;
  if (tokens?.refresh_token) sessionStorage.setItem(KEPT, tokens.refresh_token);
  else sessionStorage.removeItem(KEPT);
}

async function post(path, body) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
  });
}

async function admit(answer) {
  if (!answer.ok) {
    const words = { 401: "That is not right.", 429: "Too many attempts: wait a while." };
    throw new Refusal(answer.status, words[answer.status] ?? (await answer.text()));
  }
  keep(await answer.json());
}

/** Log in; gives a token where a second factor is asked for. */
export async function logIn(user, password) {
  const answer = await post(`${AUTH}/login`, { email_or_username: user, password });
  if (answer.status === 403) {
    const pending = await answer.json().catch(() => ({}));
    if (pending.mfa_token) return pending.mfa_token;
    throw new Refusal(403, "This account may not log in.");
  }
  await admit(answer);
  return null;
}

export async function finishLogIn(mfaToken, code) {
  await admit(await post(`${AUTH}/login_mfa`, { mfa_token: mfaToken, totp: code }));
}

async function refresh(token) {
  const answer = await post(`${AUTH}/refresh`, { refresh_token: token });
  if (!answer.ok) return false;
  keep({ ...(await answer.json()), refresh_token: token });
  return true;
}

/** Go on with what the tab or the cookies of the account pages know. */
export async function resume() {
  const token = sessionStorage.getItem(KEPT);
  if (token && (await refresh(token))) return true;
  keep(null);
  const answer = await fetch(`${AUTH}/status`, { credentials: "same-origin" });
  const found = answer.ok ? await answer.json() : {};
  if (!found.auth_token) return false;
  session = found; // of the cookies: not ours to keep
  return true;
}

export async function logOut() {
  const token = session?.refresh_token;
  keep(null);
  if (token) await post(`${AUTH}/logout`, { refresh_token: token });
}

/** Who is logged in, from the token's claims. */
export function whoAmI() {
  const part = session.auth_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes));
  return claims.email ?? claims.username ?? "";
}

async function send(method, path, body) {
  return fetch(path, {
    method,
    headers: {
      Authorization: `Bearer ${session.auth_token}`,
      "CSRF-Token": session.csrf_token,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
  });
}

async function call(method, path, body) {
  let answer = await send(method, path, body);
  if (answer.status === 401 && session.refresh_token && (await refresh(session.refresh_token))) {
    answer = await send(method, path, body);
  }
  return answer;
}

/** An operation of the admin API; throws a Refusal. */
export async function admin(method, path, body) {
  const answer = await call(method, ADMIN + path, body);
  if (!answer.ok) throw new Refusal(answer.status, await answer.text());
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

/** Readiness is told with 503 too. */
export async function readiness() {
  return (await call("GET", "/api/readyz")).json();
}
