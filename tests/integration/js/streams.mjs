// Subscriptions: whole tables, records, filters, WebSockets, bursts.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { ABSENT, anonymous, kinds, listen, login, refusal, seqs } from "./client.mjs";

const STREAMS = 50;
const BURST = 100;

async function strictTable() {
  return (await login()).records("simple_strict_table");
}

async function changeAll(table, text) {
  const id = await table.create({ text_not_null: text, text_null: "first" });
  await table.update(id, { text_null: "second" });
  await table.delete(id);
  return id;
}

// Until a socket's first event is there: the client does not say when its token has been accepted,
// and what changes before that is not told.
async function keepChanging(change, firstEvents) {
  let heard = false;
  const hear = async () => {
    try {
      return await Promise.all(firstEvents);
    } finally {
      heard = true;
    }
  };
  const work = async () => {
    while (!heard) {
      await change();
      await sleep(20);
    }
  };
  return (await Promise.all([hear(), work()]))[0];
}

export const scenarios = {
  async a_table_tells_its_changes_in_order() {
    const table = await strictTable();
    const stream = listen(await table.subscribeAll());
    // Nobody reads before everything is written.
    const id = await changeAll(table, "watched");
    const events = await stream.take(3);
    assert.deepEqual(kinds(events), ["Insert", "Update", "Delete"]);
    assert.deepEqual(seqs(events), [1, 2, 3]);
    const [made, changed, gone] = [events[0].Insert, events[1].Update, events[2].Delete];
    assert.deepEqual([made.id, made.text_not_null, made.text_null], [id, "watched", "first"]);
    assert.equal(made.text_default, "");
    assert.equal(Object.keys(made).length, 13);
    assert.equal(changed.text_null, "second");
    assert.deepEqual(gone, changed);
    await stream.stop();
  },

  async a_record_tells_its_own_changes_and_ends_with_it() {
    const table = await strictTable();
    const id = await table.create({ text_not_null: "one" });
    const stream = listen(await table.subscribe(id));
    await changeAll(table, "somebody else");
    await table.update(id, { text_not_null: "two" });
    await table.delete(id);
    const events = await stream.take(2);
    assert.deepEqual([kinds(events), seqs(events)], [["Update", "Delete"], [1, 2]]);
    assert.deepEqual([events[0].Update.id, events[0].Update.text_not_null], [id, "two"]);
    assert.equal(events[1].Delete.text_not_null, "two");
    assert.ok(await stream.hasEnded());
  },

  async filters_hold_for_events() {
    const table = await strictTable();
    const equal = [{ column: "text_null", value: "second" }];
    const few = listen(await table.subscribeAll({ filters: equal }));
    // The literal is a number, the column a text.
    const greater = [{ column: "text_not_null", op: "greaterThan", value: "0" }];
    const all = listen(await table.subscribeAll({ filters: greater }));
    const both = { and: [{ or: [...equal, { column: "text_null", value: "first" }] }, ...greater] };
    const nested = listen(await table.subscribeAll({ filters: [both] }));
    await changeAll(table, "filtered");
    for (const [stream, expected] of [
      [few, ["Update", "Delete"]],
      [all, ["Insert", "Update", "Delete"]],
      [nested, ["Insert", "Update", "Delete"]],
    ]) {
      const events = await stream.take(expected.length);
      assert.deepEqual(kinds(events), expected);
      assert.deepEqual(seqs(events), expected.map((_, n) => n + 1));
      await stream.stop();
    }
    const unknown = [{ column: "nothing", value: "1" }];
    assert.equal((await refusal(table.subscribeAll({ filters: unknown }))).status, 400);
  },

  async batches_are_told_whole_or_not_at_all() {
    const client = await login();
    const table = client.records("simple_strict_table");
    const id = await table.create({ text_not_null: "before" });
    const stream = listen(await table.subscribeAll());
    const make = table.createOp({ text_not_null: "in a batch" });
    const failing = [make, table.updateOp(ABSENT, { text_null: "never" })];
    assert.equal((await refusal(client.execute(failing))).status, 404);
    await client.execute([make, table.updateOp(id, { text_null: "now" }), table.deleteOp(id)]);
    const events = await stream.take(3);
    assert.deepEqual(kinds(events), ["Insert", "Update", "Delete"]);
    assert.deepEqual(seqs(events), [1, 2, 3]);
    assert.equal(events[2].Delete.id, id);
    await stream.stop();
  },

  async another_database_tells_its_changes_without_the_ids_of_files() {
    const table = (await anonymous()).records("other_file_upload_table");
    const stream = listen(await table.subscribeAll());
    const single_file = { data: "aGVsbG8=", filename: "hello.txt" };
    const id = await table.create({ name: "told", single_file });
    await table.delete(id);
    const [made, gone] = await stream.take(2);
    assert.equal(made.Insert.name, "told");
    assert.equal(made.Insert.single_file.original_filename, "hello.txt");
    assert.equal(made.Insert.single_file.id, undefined);
    assert.equal(gone.Delete.id, id);
    await stream.stop();
  },

  async who_may_not_read_may_not_listen() {
    const table = await strictTable();
    const nobody = (await anonymous()).records("simple_strict_table");
    assert.equal((await refusal(nobody.subscribeAll())).status, 403);
    assert.equal((await refusal(table.subscribe(ABSENT))).status, 404);
    assert.equal((await refusal(table.subscribe("InvalidId0123"))).status, 400);
    const client = await login();
    assert.equal((await refusal(client.records("movies").subscribeAll())).status, 403);
    assert.equal((await refusal(client.records("no-api").subscribeAll())).status, 405);
  },

  async sockets_tell_the_changes_of_a_table() {
    const table = await strictTable();
    const all = listen(await table.subscribeWs("*"));
    const filters = [{ column: "text_null", value: "second" }];
    const few = listen(await table.subscribeWs("*", { filters }));
    const probe = await table.create({ text_not_null: "probe", text_null: "second" });
    await keepChanging(() => table.update(probe, { int_null: 1 }), [all.take(1), few.take(1)]);
    const id = await changeAll(table, "by socket");
    const mine = async (stream, count) => {
      const events = [];
      while (events.length < count) {
        const [event] = await stream.take(1);
        if (Object.values(event).some((record) => record.id === id)) events.push(event);
      }
      return events;
    };
    assert.deepEqual(kinds(await mine(all, 3)), ["Insert", "Update", "Delete"]);
    assert.deepEqual(kinds(await mine(few, 2)), ["Update", "Delete"]);
  },

  async sockets_tell_the_changes_of_a_record_and_close_with_it() {
    const table = await strictTable();
    const id = await table.create({ text_not_null: "one" });
    const stream = listen(await table.subscribeWs(id));
    const change = () => table.update(id, { text_not_null: "two" });
    const [first] = await keepChanging(change, [stream.take(1)]);
    assert.deepEqual(kinds(first), ["Update"]);
    await table.delete(id);
    let last;
    do last = kinds(await stream.take(1))[0];
    while (last === "Update");
    assert.equal(last, "Delete");
    assert.ok(await stream.hasEnded());
  },

  async sockets_of_nobody_are_closed() {
    const nobody = (await anonymous()).records("simple_strict_table");
    assert.ok(await listen(await nobody.subscribeWs("*")).hasEnded());
  },

  async a_burst_reaches_every_stream_whole() {
    const table = await strictTable();
    let lost = 0;
    const onLoss = () => lost++;
    const open = Array.from({ length: STREAMS }, () => table.subscribeAll({ onLoss }));
    const streams = (await Promise.all(open)).map(listen);
    const received = streams.map((stream) => stream.take(BURST));
    // Short ones: the client cannot read an event that two reads of its socket (64 KiB) tear apart.
    const make = (n) => table.create({ text_not_null: "burst", int_null: n });
    const ids = [];
    for (let n = 0; n < BURST / 2; n++) ids.push(await make(n));
    ids.push(...(await Promise.all(Array.from({ length: BURST / 2 }, (_, n) => make(n)))));
    for (const events of await Promise.all(received)) {
      assert.deepEqual(seqs(events), Array.from({ length: BURST }, (_, n) => n + 1));
      const told = events.map((event) => event.Insert.id);
      assert.deepEqual(told.slice(0, BURST / 2), ids.slice(0, BURST / 2));
      assert.deepEqual(told.toSorted(), ids.toSorted());
    }
    assert.equal(lost, 0);
    await Promise.all(streams.map((stream) => stream.stop()));
  },
};
