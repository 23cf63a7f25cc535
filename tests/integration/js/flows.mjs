// Everything that the published JavaScript client has for accounts, with a mailbox that is read.
// `node flows.mjs URL MAILS` prints what `run.mjs` prints. The server's auth tokens live for 62
// seconds: the client exchanges them when they have less than 60 left.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { code } from "./accounts.mjs";
import { anonymous, bytesOf, refusal, sendForm, url } from "./client.mjs";

const AUTH = "/api/auth/v1";
const PASSWORD = "tulip-and-rope-9";
const SHORT_MS = 3000; // after which an auth token has less than a minute left
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
  "base64",
);
const mails = process.argv[3];

// What the newest mail to an address says.
async function mailed(address, pattern) {
  for (let n = 0; n < 500; n++) {
    const names = readdirSync(mails).filter((name) => name.endsWith(".json"));
    for (const name of names.sort().reverse()) {
      const { to, content } = JSON.parse(readFileSync(join(mails, name), "utf8"));
      const unfolded = content.replace(/=\r?\n/g, "").replace(/=3D/g, "=");
      const found = to.includes(address) && unfolded.match(pattern);
      if (found) return found[1];
    }
    await sleep(20);
  }
  throw new Error(`no mail to ${address}`);
}

async function post(client, path, body) {
  return await client.fetch(`${AUTH}/${path}`, { method: "POST", body: JSON.stringify(body) });
}

async function confirm(address) {
  const token = await mailed(address, /verify_email\/confirm\/([\w.-]+)/);
  await (await anonymous()).fetch(`${AUTH}/verify_email/confirm/${token}`);
}

function newAddress() {
  return `js${process.hrtime.bigint()}@harbour.test`;
}

async function newUser() {
  const client = await anonymous();
  const email = newAddress();
  await post(client, "register", { email, password: PASSWORD, password_repeat: PASSWORD });
  await confirm(email);
  assert.equal(await client.login(email, PASSWORD), undefined);
  return client;
}

// A browser's share of the work: keeps cookies and sends them along.
function browser() {
  const jar = new Map();
  return {
    jar,
    async fetch(path, init = {}) {
      const cookie = [...jar].map((pair) => pair.join("=")).join("; ");
      const headers = { ...init.headers, ...(cookie && { cookie }) };
      const answer = await fetch(new URL(path, url), { ...init, headers, redirect: "manual" });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = line.match(/^(\w+)=([^;]*)/);
        value ? jar.set(name, value) : jar.delete(name);
      }
      return answer;
    },
  };
}

async function isOver(client) {
  await client.refreshAuthToken({ force: true });
  return client.tokens() === undefined;
}

const flows = {
  async register_confirm_and_log_in() {
    const client = await anonymous();
    const email = newAddress();
    await post(client, "register", { email, password: PASSWORD, password_repeat: PASSWORD });
    assert.equal((await refusal(client.login(email, PASSWORD))).status, 401);
    await confirm(email);
    await client.login(email, PASSWORD);
    assert.equal(client.user().email, email);
    assert.equal(client.base.href, new URL(url).href);
    assert.equal(client.headers().Authorization, `Bearer ${client.tokens().auth_token}`);
  },

  async whoever_asks_is_told_who_is_logged_in() {
    const { initClient } = await import("trailbase");
    const email = (await newUser()).user().email;
    const heard = [];
    const client = initClient(url, { onAuthChange: (_, user) => heard.push(user?.email) });
    await client.login(email, PASSWORD);
    await client.logout();
    assert.deepEqual(heard, [email, undefined]);
    assert.equal(client.user(), undefined);
  },

  async cookies_of_a_browser_become_tokens() {
    const { initClient, initClientFromCookies } = await import("trailbase");
    const email = (await newUser()).user().email;
    const transport = browser();
    const client = initClient(url, { transport });
    assert.equal(await client.checkCookies(), undefined);
    const body = new URLSearchParams({ email, password: PASSWORD, redirect_uri: "/home" });
    const answer = await transport.fetch(`${AUTH}/login`, { method: "POST", body });
    assert.equal(answer.headers.get("location"), "/home");
    assert.deepEqual([...transport.jar.keys()].sort(), ["auth_token", "refresh_token"]);
    const tokens = await client.checkCookies();
    assert.equal(tokens.refresh_token, transport.jar.get("refresh_token"));
    assert.equal(client.user().email, email);
    // An auth token that is over is made anew from the other cookie.
    transport.jar.delete("auth_token");
    const late = await initClientFromCookies(url, { transport });
    assert.equal(late.user().email, email);
    await late.logout();
    assert.equal((await initClientFromCookies(url, { transport })).user(), undefined);
  },

  async log_out_without_a_session_ends_all() {
    const client = await newUser();
    const { auth_token } = client.tokens();
    const bare = await anonymous({ auth_token });
    await bare.logout();
    assert.equal(bare.tokens(), undefined);
    assert.ok(await isOver(client));
  },

  async log_out_ends_one_session() {
    const client = await newUser();
    const other = await anonymous();
    await other.login(client.user().email, PASSWORD);
    await client.logout();
    assert.ok(!(await isOver(other)));
  },

  async tokens_are_exchanged_in_time() {
    const client = await newUser();
    const first = client.tokens();
    await sleep(SHORT_MS);
    await client.refreshAuthToken();
    assert.notEqual(client.tokens().auth_token, first.auth_token);
    assert.equal(client.tokens().refresh_token, first.refresh_token);
    await sleep(SHORT_MS);
    const second = client.tokens().auth_token;
    await client.fetch(`${AUTH}/status`);
    assert.notEqual(client.tokens().auth_token, second);
  },

  async a_code_by_mail_logs_in_once() {
    const email = (await newUser()).user().email;
    const client = await anonymous();
    await client.requestOtp(email, { redirectUri: "/api/healthcheck" });
    const otp = await mailed(email, /\n([A-Z0-9]{6})\r?\n/);
    assert.ok(await mailed(email, /redirect_uri=(\/api\/healthcheck)/));
    await client.loginOtp(email, otp);
    assert.equal(client.user().email, email);
    const replay = (await anonymous()).loginOtp(email, otp);
    assert.equal((await refusal(replay)).status, 401);
  },

  async another_address_after_its_mail() {
    const client = await newUser();
    const old = client.user().email;
    const email = newAddress();
    await client.changeEmail(email);
    await client.refreshAuthToken({ force: true });
    assert.equal(client.user().email, old);
    const token = await mailed(email, /change_email\/confirm\/([\w.-]+)/);
    await client.fetch(`${AUTH}/change_email/confirm/${token}`);
    await client.refreshAuthToken({ force: true });
    assert.equal(client.user().email, email, "the session that asked goes on");
    assert.ok(await mailed(old, new RegExp(`(${email})`)), "the old address is told");
    const late = await anonymous();
    assert.equal((await refusal(late.login(old, PASSWORD))).status, 401);
    await late.login(email, PASSWORD);
  },

  async a_recovery_code_stands_in_for_a_device() {
    const client = await newUser();
    const { url: offered, png } = await client.registerTOTP();
    assert.equal(png, null);
    await client.confirmTOTP(offered, code(offered));
    const answer = await post(client, "totp/recovery_codes", { totp: code(offered, 1) });
    const [first] = (await answer.json()).recovery_codes;
    const late = await anonymous();
    const mfaToken = await late.login(client.user().email, PASSWORD);
    await late.loginSecond({ mfaToken, totpCode: first });
    assert.equal(late.user().email, client.user().email);
    const again = await anonymous();
    const next = await again.login(client.user().email, PASSWORD);
    const replay = again.loginSecond({ mfaToken: next, totpCode: first });
    assert.equal((await refusal(replay)).status, 401);
  },

  async pictures_are_shown_to_everybody() {
    const client = await newUser();
    const me = client.user().id;
    const nobody = await anonymous();
    assert.equal(nobody.avatarUrl(), undefined);
    assert.equal(client.avatarUrl(), `${AUTH}/avatar/${me}`);
    assert.equal((await refusal(client.fetch(client.avatarUrl()))).status, 404);
    await sendForm(client, "POST", `${AUTH}/avatar`, [["file", new Blob([PNG]), "me.png"]]);
    assert.deepEqual(await bytesOf(nobody, nobody.avatarUrl(me)), PNG);
    const text = [["file", new Blob(["hello"]), "me.png"]];
    assert.equal((await refusal(sendForm(client, "POST", `${AUTH}/avatar`, text))).status, 400);
    await client.fetch(`${AUTH}/avatar`, { method: "DELETE" });
    assert.equal((await refusal(nobody.fetch(nobody.avatarUrl(me)))).status, 404);
  },

  async an_anonymous_account_is_promoted_with_what_it_owns() {
    const nobody = await anonymous();
    const tokens = await (await post(nobody, "login_anonymous", {})).json();
    const client = await anonymous(tokens);
    const me = client.user().id;
    const boat = await client.records("boats").create({ owner: me, name: "Nautilus" });
    const email = newAddress();
    await post(client, "promote_anonymous", { new_email: email, new_password: PASSWORD });
    const resting = await anonymous();
    const body = { refresh_token: tokens.refresh_token };
    assert.equal((await refusal(post(resting, "refresh", body))).status, 401);
    await confirm(email);
    await client.refreshAuthToken({ force: true });
    assert.equal(client.user().email, email);
    assert.equal(client.user().id, me);
    await client.records("boats").update(boat, { name: "Argo" });
    const later = await anonymous();
    await later.login(email, PASSWORD);
    assert.equal((await later.records("boats").read(boat)).owner, me);
  },

  async an_account_leaves_with_its_rows() {
    const client = await newUser();
    const me = client.user().id;
    const boat = await client.records("boats").create({ owner: me, name: "Argo" });
    const entry = await client.records("log_entries").create({ writer: me, body: "sunk" });
    const debt = await client.records("debts").create({ debtor: me, amount: 7 });
    const leave = () => client.fetch(`${AUTH}/delete`, { method: "DELETE" });
    assert.equal((await refusal(leave())).status, 400);
    assert.ok(!(await isOver(client)));
    await client.records("debts").delete(debt);
    await leave();
    assert.ok(await isOver(client));
    const nobody = await anonymous();
    assert.equal((await refusal(nobody.records("boats").read(boat))).status, 404);
    assert.equal((await nobody.records("log_entries").read(entry)).writer, null);
  },
};

const outcome = {};
for (const [name, flow] of Object.entries(flows)) {
  try {
    await flow();
    outcome[name] = "";
  } catch (error) {
    outcome[name] = error.stack ?? String(error);
  }
}
console.log(JSON.stringify(outcome));
process.exit(0);
