/** Follow a table through the client's subscription, and come back after breaks. */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const REFUSED = [401, 403];

/**
 * Start to follow.
 *
 * @param {object} api A record API of the client.
 * @param {object} on
 * @param {() => Promise<void>} on.ready The stream is open, or has missed something: load what was there before.
 *     Nothing can fall between, because events wait in the stream meanwhile.
 * @param {(event: object) => void} on.event One change.
 * @param {(state: "connecting" | "live" | "waiting") => void} on.state
 * @param {() => void} on.refused The server does not let this user listen (any more).
 * @returns {() => void} Ends it.
 */
export function follow(api, on) {
  let reader;
  let isOver = false;

  async function once() {
    on.state("connecting");
    const stream = await api.subscribeAll({ onLoss: () => on.ready() });
    reader = stream.getReader();
    if (isOver) return reader.cancel();
    await on.ready();
    on.state("live");
    for (;;) {
      const { done, value } = await reader.read();
      if (done || isOver) return;
      if (!("Error" in value)) on.event(value);
    }
  }

  async function forever() {
    let pause = FIRST_PAUSE_MS;
    while (!isOver) {
      const started = Date.now();
      try {
        await once();
      } catch (error) {
        if (!isOver && REFUSED.includes(error.status)) return on.refused();
      }
      if (isOver) return;
      await reader?.cancel().catch(() => {});
      if (Date.now() - started > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS;
      on.state("waiting");
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }

  forever();
  return () => {
    isOver = true;
    reader?.cancel().catch(() => {});
  };
}
