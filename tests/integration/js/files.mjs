// Files and geometries.

import assert from "node:assert/strict";

import { anonymous, bytesOf, login, refusal, sendForm } from "./client.mjs";

const MAIN = "file_upload_table";
const OTHER = "other_file_upload_table";
const CONTENT = Buffer.from(Array.from({ length: 1024 }, (_, n) => (n * 7) % 256));
const LARGE = Buffer.concat(Array.from({ length: 1024 }, () => CONTENT));

function file(content, filename, encoding = "base64") {
  return { data: content.toString(encoding), filename, content_type: "text/plain" };
}

// As the client encodes it: with padding, which Node leaves out. It cannot encode much at once.
async function urlSafe(content, filename) {
  const { urlSafeBase64Encode } = await import("trailbase");
  return { ...file(content, filename), data: urlSafeBase64Encode(content) };
}

async function paths(api, id) {
  const { filePath, filesPath } = await import("trailbase");
  return {
    single: filePath(api, id, "single_file"),
    named: (column, name) => filesPath(api, id, column, name),
  };
}

async function uploadsAsJson(api) {
  const client = await login();
  const table = client.records(api);
  const id = await table.create({
    name: "as JSON",
    single_file: await urlSafe(Buffer.from([251, 255, 0, 1]), "one.bin"),
    multiple_files: [await urlSafe(CONTENT, "two.txt"), file(LARGE, "odd ä/name.txt")],
  });
  const record = await table.read(id);
  assert.equal(record.single_file.original_filename, "one.bin");
  assert.equal(record.single_file.content_type, "text/plain");
  const files = record.multiple_files;
  assert.deepEqual(files.map((f) => f.original_filename), ["two.txt", "odd ä/name.txt"]);
  for (const one of [record.single_file, ...files]) assert.equal(one.id, undefined);

  const nobody = await anonymous();
  const { single, named } = await paths(api, id);
  assert.deepEqual(await bytesOf(nobody, single), Buffer.from([251, 255, 0, 1]));
  const byName = named("single_file", record.single_file.filename);
  assert.deepEqual(await bytesOf(nobody, byName), Buffer.from([251, 255, 0, 1]));
  assert.deepEqual(await bytesOf(nobody, named("multiple_files", files[0].filename)), CONTENT);
  const odd = named("multiple_files", encodeURIComponent(files[1].filename));
  assert.deepEqual(await bytesOf(nobody, odd), LARGE);
  const unknown = named("multiple_files", "unknown.txt");
  assert.equal((await refusal(nobody.fetch(unknown))).status, 404);

  await table.delete(id);
  assert.equal((await refusal(nobody.fetch(single))).status, 404);
}

async function uploadsAsForm(api) {
  const client = await login();
  const nobody = await anonymous();
  const table = client.records(api);
  const created = await sendForm(nobody, "POST", `/api/records/v1/${api}`, [
    ["name", "as a form"],
    ["single_file", new Blob([LARGE], { type: "application/x-test" }), "large.bin"],
    ["multiple_files", new Blob([CONTENT]), "a.bin"],
    ["multiple_files", new Blob(["second"]), "b.bin"],
  ]);
  const [id] = (await created.json()).ids;
  let record = await table.read(id);
  assert.equal(record.name, "as a form");
  assert.equal(record.single_file.original_filename, "large.bin");
  assert.equal(record.single_file.content_type, "application/x-test");
  const { single, named } = await paths(api, id);
  assert.deepEqual(await bytesOf(nobody, single), LARGE);
  const names = record.multiple_files.map((f) => f.filename);
  assert.deepEqual(await bytesOf(nobody, named("multiple_files", names[0])), CONTENT);
  assert.equal((await bytesOf(nobody, named("multiple_files", names[1]))).toString(), "second");

  const change = [["single_file", new Blob(["small"]), "small.bin"]];
  await sendForm(client, "PATCH", `/api/records/v1/${api}/${id}`, change);
  assert.equal((await bytesOf(nobody, single)).toString(), "small");
  record = await table.read(id);
  assert.equal(record.name, "as a form");
  assert.equal(record.multiple_files.length, 2);

  await nobody.records(api).delete(id);
  assert.equal((await refusal(nobody.fetch(single))).status, 404);
}

export const scenarios = {
  async files_are_uploaded_as_json_and_downloaded() {
    await uploadsAsJson(MAIN);
  },

  async files_of_another_database_are_uploaded_as_json_and_downloaded() {
    await uploadsAsJson(OTHER);
  },

  async files_are_uploaded_as_a_form_replaced_and_deleted() {
    await uploadsAsForm(MAIN);
  },

  async files_of_another_database_are_uploaded_as_a_form_replaced_and_deleted() {
    await uploadsAsForm(OTHER);
  },

  async files_that_are_sent_back_as_they_were_read_stay() {
    const table = (await login()).records(MAIN);
    const nobody = await anonymous();
    const files = [file(CONTENT, "kept.txt"), file(LARGE, "dropped.txt")];
    const id = await table.create({ single_file: file(CONTENT, "single.txt"), multiple_files: files });
    const record = await table.read(id);
    const kept = record.multiple_files[0];
    const multiple_files = [kept, file(Buffer.from("new"), "new.txt")];
    await table.update(id, { single_file: record.single_file, multiple_files });
    const after = (await table.read(id)).multiple_files;
    assert.deepEqual([after.length, after[0]], [2, kept]);
    const { single, named } = await paths(MAIN, id);
    assert.deepEqual(await bytesOf(nobody, single), CONTENT);
    assert.deepEqual(await bytesOf(nobody, named("multiple_files", kept.filename)), CONTENT);
    const dropped = named("multiple_files", record.multiple_files[1].filename);
    assert.equal((await refusal(nobody.fetch(dropped))).status, 404);
  },

  async files_in_batches_are_kept() {
    const client = await login();
    const table = client.records(MAIN);
    const name = `batch ${Date.now()}`;
    await client.execute([table.createOp({ name, single_file: file(CONTENT, "batch.txt") })]);
    const { records } = await table.list({ filters: [{ column: "name", value: name }] });
    const { single } = await paths(MAIN, records[0].id);
    assert.deepEqual(await bytesOf(client, single), CONTENT);
  },

  async wrong_files_are_refused() {
    const table = (await login()).records(MAIN);
    const broken = { data: "no base64!", filename: "a" };
    assert.equal((await refusal(table.create({ single_file: broken }))).status, 400);
    assert.equal((await refusal(table.create({ single_file: [file(CONTENT, "a")] }))).status, 400);
    assert.equal((await refusal(table.create({ multiple_files: file(CONTENT, "a") }))).status, 400);
    const misplaced = sendForm(await login(), "POST", `/api/records/v1/${MAIN}`, [
      ["name", new Blob(["a file"]), "name.txt"],
    ]);
    assert.equal((await refusal(misplaced)).status, 400);
    const record = await table.read(await table.create({ name: "none" }));
    const { single } = await paths(MAIN, record.id);
    assert.equal((await refusal((await login()).fetch(single))).status, 404);
  },

  async a_batch_keeps_to_one_database() {
    const client = await login();
    const operations = [MAIN, OTHER].map((api) => client.records(api).createOp({ name: "both" }));
    assert.equal((await refusal(client.execute(operations))).status, 400);
    const filters = [{ column: "name", value: "both" }];
    for (const api of [MAIN, OTHER]) {
      assert.deepEqual((await client.records(api).list({ filters })).records, []);
    }
  },

  async geometries_are_listed_as_features() {
    const geometry = (await anonymous()).records("geometry");
    const all = await geometry.listGeoOp("geom").query();
    assert.equal(all.type, "FeatureCollection");
    assert.equal(all.features.length, 4);
    const colosseum = all.features.find((feature) => feature.id === 3);
    assert.deepEqual(colosseum.geometry.type, "Point");
    assert.deepEqual(colosseum.geometry.coordinates, [12.4924, 41.8902]);
    assert.deepEqual(colosseum.properties, { id: 3, description: "Colosseum" });
    assert.equal(all.features.find((feature) => feature.id === 21).geometry, null);
  },

  async geometries_are_found_by_where_they_are() {
    const geometry = (await anonymous()).records("geometry");
    const polygon = "POLYGON ((12.4 41.8, 12.6 41.8, 12.6 42, 12.4 42, 12.4 41.8))";
    const found = async (op, value) => {
      const filters = [{ column: "geom", op, value }];
      const { features } = await geometry.listGeoOp("geom", { filters, order: ["id"] }).query();
      const { records } = await geometry.list({ filters, order: ["id"] });
      const ids = features.map((feature) => feature.id);
      assert.deepEqual(records.map((record) => record.id), ids);
      return ids;
    };
    assert.deepEqual(await found("@within", polygon), [3]);
    assert.deepEqual(await found("@intersects", polygon), [3, 8]);
    assert.deepEqual(await found("@contains", "POINT (15 25)"), [7, 8]);
    assert.equal((await refusal(found("@within", "POLYGON of what?"))).status, 400);
  },

  async geometries_are_written() {
    const table = (await login()).records("geometry");
    const geom = { type: "LineString", coordinates: [[100, 1], [101, 2.5]] };
    const id = await table.create({ description: "written", geom });
    const { type, coordinates } = (await table.read(id)).geom;
    assert.deepEqual({ type, coordinates }, geom);
    await table.update(id, { geom: null });
    assert.equal((await table.read(id)).geom, null);
    await table.delete(id);
  },
};
