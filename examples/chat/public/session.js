/** Who is logged in: the official client, and its tokens for as long as this window lives. */

import { initClient } from "./vendor/trailbase.js";

const KEY = "chat.tokens";

/**
 * Make the client.
 *
 * Tokens are kept per window, so that two windows can be two people.
 *
 * @param {(user: object | undefined) => void} onChange Called when somebody logs in or out.
 */
export function openSession(onChange) {
  return initClient(location.origin, {
    tokens: stored(),
    onAuthChange: (client, user) => {
      const tokens = client.tokens();
      if (tokens) sessionStorage.setItem(KEY, JSON.stringify(tokens));
      else sessionStorage.removeItem(KEY);
      onChange(user);
    },
  });
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
