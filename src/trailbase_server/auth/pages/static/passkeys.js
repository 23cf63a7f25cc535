// Passkeys on the account pages. What is marked data-passkeys stays hidden where a browser has none.
"use strict";
(() => {
  const REFRESH_MS = 240000; // a challenge is good for 300 s; one that waits for a click is renewed

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  async function ask(method, url, body, csrf) {
    const headers = { "content-type": "application/json" };
    if (csrf) headers["csrf-token"] = csrf;
    const answer = await fetch(url, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw Object.assign(new Error(await answer.text()), { status: answer.status });
    return (await answer.text().then((text) => (text ? JSON.parse(text) : null)));
  }

  // Both directions by hand: browsers of 2024 lack parse…OptionsFromJSON() and toJSON().
  function forCreate({ publicKey }) {
    const ids = publicKey.excludeCredentials.map((one) => ({ ...one, id: toBytes(one.id) }));
    const user = { ...publicKey.user, id: toBytes(publicKey.user.id) };
    const challenge = toBytes(publicKey.challenge);
    return { publicKey: { ...publicKey, challenge, user, excludeCredentials: ids } };
  }

  function forGet({ publicKey }) {
    return { publicKey: { ...publicKey, challenge: toBytes(publicKey.challenge) } };
  }

  function spell(credential) {
    const response = {};
    for (const name of [
      "clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle",
    ]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    if (credential.response.getTransports) {
      response.transports = credential.response.getTransports();
    }
    const id = toText(credential.rawId);
    return { id, rawId: id, type: credential.type, response };
  }

  function say(root, name) {
    const place = root.querySelector("[data-message]");
    place.hidden = !name;
    place.textContent = name ? place.dataset[name] : "";
    if (name) place.focus();
  }

  // What a browser throws: whoever closes its window has done nothing wrong.
  function reasonOf(error) {
    if (error.name === "InvalidStateError") return "known";
    if (error.name === "NotAllowedError" || error.name === "AbortError") return "cancelled";
    return "failed";
  }

  function setUpLogin(form) {
    let waiting = null;
    const send = (credential) => {
      form.elements.credential.value = JSON.stringify(spell(credential));
      form.submit();
    };
    const begin = async (options) => {
      waiting?.abort();
      const mine = (waiting = new AbortController());
      const begun = forGet(await ask("POST", form.dataset.begin, {}));
      if (mine.signal.aborted) return null;
      return navigator.credentials.get({ ...begun, ...options, signal: mine.signal });
    };
    // The browser offers passkeys where it offers names, without anybody asking for them.
    const offer = async () => {
      const name = document.querySelector('input[autocomplete^="username"]');
      const can = PublicKeyCredential.isConditionalMediationAvailable;
      if (!name || !can || !(await can.call(PublicKeyCredential))) return;
      name.autocomplete = "username webauthn";
      try {
        const credential = await begin({ mediation: "conditional" });
        if (credential) send(credential);
      } catch {
        // Nobody has asked for it: the button is there.
      }
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      clearInterval(renewal);
      say(form, null);
      try {
        const credential = await begin({});
        if (credential) send(credential);
      } catch (error) {
        say(form, reasonOf(error));
      }
    });
    const renewal = setInterval(offer, REFRESH_MS);
    form.hidden = false;
    offer();
  }

  function setUpProfile(root) {
    const { url, csrf } = root.dataset;
    const list = root.querySelector("ul");
    const add = root.querySelector("form[data-add]");
    const again = root.querySelector("form[data-again]");
    let retry = null;

    // Adding and removing take a fresh log-in: where it is not, the password is asked for, once.
    const guarded = async (action) => {
      say(root, null);
      try {
        await action({});
      } catch (error) {
        if (error.status === 403) {
          retry = action;
          again.hidden = false;
          if (again.elements.password) again.elements.password.focus();
          else say(root, "stale");
        } else {
          say(root, error.status === 429 ? "late" : error.status ? refusal(error) : reasonOf(error));
        }
      }
    };
    const refusal = (error) => {
      if (error.message.startsWith("wrong password") || error.message === "TOTP missing") {
        return "wrong";
      }
      if (error.message.includes("only way")) return "last";
      if (error.status === 409) return "known";
      return error.message.startsWith("too many") ? "full" : "failed";
    };

    const show = async () => {
      const { passkeys } = await ask("GET", url);
      list.replaceChildren(...passkeys.map(item));
    };
    const item = (passkey) => {
      const node = root.querySelector("template").content.cloneNode(true);
      const time = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
      const name = node.querySelector("input");
      name.value = passkey.name;
      node.querySelector("[data-created]").textContent = time(passkey.created);
      if (passkey.last_used === null) node.querySelector("[data-used]").remove();
      else node.querySelector("[data-last]").textContent = time(passkey.last_used);
      node.querySelector("form").addEventListener("submit", (event) => {
        event.preventDefault();
        guarded(async () => {
          await ask("PATCH", `${url}/${passkey.id}`, { name: name.value }, csrf);
          await show();
        });
      });
      node.querySelector("[data-remove]").addEventListener("click", () =>
        guarded(async (proof) => {
          await ask("DELETE", `${url}/${passkey.id}`, proof, csrf);
          await show();
        }),
      );
      return node;
    };

    add.addEventListener("submit", (event) => {
      event.preventDefault();
      guarded(async (proof) => {
        const begun = await ask("POST", `${url}/register/begin`, proof, csrf);
        const credential = spell(await navigator.credentials.create(forCreate(begun)));
        const name = add.elements.name.value.trim() || undefined;
        await ask("POST", `${url}/register/finish`, { credential, name }, csrf);
        add.reset();
        await show();
      });
    });
    again.addEventListener("submit", (event) => {
      event.preventDefault();
      const proof = { password: again.elements.password.value };
      if (again.elements.totp) proof.totp = again.elements.totp.value;
      again.reset();
      again.hidden = true;
      guarded(() => retry(proof));
    });
    root.hidden = false;
    show().catch(() => say(root, "failed"));
  }

  if (!window.PublicKeyCredential) return;
  const login = document.querySelector("form[data-passkeys]");
  const profile = document.querySelector("section[data-passkeys]");
  if (login) setUpLogin(login);
  if (profile) setUpProfile(profile);
})();
