// What the scenarios share: clients, refusals, forms and events that are waited for.

import assert from "node:assert/strict";

export const url = process.argv[2];
export const ODD = "=?&/\\^ %äß";
export const ABSENT = "AZOl1MAAcACAAAAAAAAAAA==";
const PATIENCE_MS = 10_000;

async function load() {
  return await import("trailbase");
}

export async function login(name = "admin@localhost") {
  const { initClient } = await load();
  const client = initClient(url);
  assert.equal(await client.login(name, "secret"), undefined);
  return client;
}

export async function anonymous(tokens) {
  const { initClient } = await load();
  return initClient(url, tokens ? { tokens } : undefined);
}

export async function refusal(promise) {
  const { FetchError } = await load();
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof FetchError, `not an answer: ${error}`);
    return error;
  }
  return { status: 200 };
}

// Sends a form through the client, which would call it JSON by itself.
export async function sendForm(client, method, path, fields) {
  const form = new FormData();
  for (const [name, value, filename] of fields) {
    filename ? form.append(name, value, filename) : form.append(name, value);
  }
  const { headers, body } = new Response(form);
  const type = { "Content-Type": headers.get("content-type") };
  return await client.fetch(path, { method, headers: type, body, duplex: "half" });
}

export async function bytesOf(client, path) {
  return Buffer.from(await (await client.fetch(path)).arrayBuffer());
}

// Reads events from a stream: `take(n)`, whether it has ended, `stop()`.
export function listen(stream) {
  const reader = stream.getReader();
  async function next() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("no event came")), PATIENCE_MS);
    });
    try {
      return await Promise.race([reader.read(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
  return {
    async take(count) {
      const events = [];
      while (events.length < count) {
        const { done, value } = await next();
        assert.ok(!done, `the stream ended after ${JSON.stringify(events)}`);
        events.push(value);
      }
      return events;
    },
    async hasEnded() {
      return (await next()).done;
    },
    stop: () => reader.cancel(),
  };
}

export function kinds(events) {
  return events.map((event) => Object.keys(event).find((key) => key !== "seq"));
}

export function seqs(events) {
  return events.map((event) => event.seq);
}
