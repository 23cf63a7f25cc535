// Accounts beyond a password: a second factor, codes by mail, leaving.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

import { anonymous, login, refusal } from "./client.mjs";

const STEP_MS = 30_000;

// The code of an authenticator app, some steps from now.
export function code(totpUrl, steps = 0) {
  const secret = new URL(totpUrl).searchParams.get("secret");
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

export const scenarios = {
  async a_second_factor_is_switched_on_used_and_switched_off() {
    const client = await login("2@localhost");
    const other = await login("2@localhost");
    const { url: offered, png } = await client.registerTOTP({ png: true });
    assert.ok(png.startsWith("iVBOR"));
    assert.equal((await refusal(client.confirmTOTP(offered, "12345"))).status, 400);
    await client.confirmTOTP(offered, code(offered));
    assert.equal(client.user().mfa, true);

    const late = await anonymous();
    const mfaToken = await late.login("2@localhost", "secret");
    assert.ok(mfaToken);
    const replay = late.loginSecond({ mfaToken, totpCode: code(offered) });
    assert.equal((await refusal(replay)).status, 401);
    await late.loginSecond({ mfaToken, totpCode: code(offered, 1) });
    assert.equal(late.user().email, "2@localhost");

    await other.refreshAuthToken({ force: true });
    assert.equal(other.tokens(), undefined, "the other session has ended");
    await client.unregisterTOTP(code(offered));
    assert.ok(!client.user().mfa);
    await login("2@localhost");
  },

  async codes_by_mail_are_told_nobody_and_not_guessed() {
    const client = await anonymous();
    await client.requestOtp("nobody-js@localhost");
    await client.requestOtp("0@localhost");
    assert.equal((await refusal(client.loginOtp("0@localhost", "AAAAAA"))).status, 401);
    assert.equal((await refusal(client.requestOtp("0@localhost"))).status, 429);
  },

  async another_address_is_asked_for() {
    const client = await login("0@localhost");
    await client.changeEmail("zero@localhost");
    assert.equal((await refusal(client.changeEmail("zero"))).status, 400);
    await login("0@localhost");
  },

  async an_account_is_left_for_good() {
    const tokens = await (
      await (await anonymous()).fetch("/api/auth/v1/login_anonymous", { method: "POST", body: "{}" })
    ).json();
    const client = await anonymous(tokens);
    // Its own method asks with GET, which must not delete anything, whoever sends it.
    assert.equal((await refusal(client.deleteUser())).status, 405);
    await client.fetch("/api/auth/v1/delete", { method: "DELETE" });
    const late = await anonymous();
    const body = JSON.stringify({ refresh_token: tokens.refresh_token });
    const answer = late.fetch("/api/auth/v1/refresh", { method: "POST", body });
    assert.equal((await refusal(answer)).status, 401);
  },
};
