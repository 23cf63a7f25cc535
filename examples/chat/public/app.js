/** The chat: log in, choose a room, read and write; what others write appears by itself. */

import { follow } from "./live.js";
import { openSession } from "./session.js";
import { clearMessages, element, removeMessage, showMessage, showPage, showRooms, showState } from "./view.js";

const SHOWN = 50; // messages of a room

// Later: the client may call while it is still being made.
const client = openSession((user) => queueMicrotask(() => (user ? enter() : leave())));
const messages = client.records("message_api");
const signed = client.records("signed_messages");

/** @type {Map<string, {id: string, name: string, unread: number}>} */
let rooms = new Map();
let current; // id of the room on the screen
let me; // one's own name
let stop; // ends the subscription; undefined when nobody is logged in

function enter() {
  if (stop) return; // the token was merely renewed
  showPage("chat");
  stop = follow(messages, { ready, event: take, state: showState, refused: logOut });
  element("text").focus();
}

function leave() {
  stop?.();
  stop = current = me = undefined;
  rooms = new Map();
  clearMessages();
  showRooms(rooms, current, choose);
  element("me").textContent = "";
  showPage("login");
  element("email").focus();
}

async function logOut() {
  await client.logout().catch(() => {});
  leave();
}

/** The subscription is open: get what was there before. */
async function ready() {
  const session = stop;
  if (!current) {
    const profiles = (await client.records("profiles").list()).records;
    const found = (await client.records("rooms").list({ order: ["name"] })).records;
    if (stop !== session) return; // logged out meanwhile
    me = profiles[0]?.name;
    element("me").textContent = me ?? "";
    rooms = new Map(found.map((room) => [room.id, { ...room, unread: 0 }]));
    current = found[0]?.id;
    showRooms(rooms, current, choose);
  }
  await load();
}

function choose(room) {
  current = room;
  rooms.get(room).unread = 0;
  showRooms(rooms, current, choose);
  clearMessages();
  load().catch(problem);
}

/** Load the latest messages of the room. */
async function load() {
  const room = current;
  if (!room) return;
  const page = await signed.list({
    filters: [{ column: "room", value: room }],
    order: ["-id"],
    pagination: { limit: SHOWN },
  });
  if (room !== current) return; // another one was chosen meanwhile
  for (const message of page.records) showMessage(message, message.author === me);
  element("messages").scrollTop = element("messages").scrollHeight;
}

/** Take one event of the subscription. */
function take(event) {
  const row = event.Insert ?? event.Update ?? event.Delete;
  if (event.Delete) return removeMessage(row.id);
  if (row.room === current) return sign(row).catch(problem);
  const room = rooms.get(row.room);
  if (room && event.Insert) {
    room.unread += 1;
    showRooms(rooms, current, choose);
  }
}

/** Events do not say whose message it is: ask. */
async function sign(row) {
  const message = await signed.read(row.id).catch((error) => {
    if (error.status !== 403 && error.status !== 404) throw error; // it may be gone already
  });
  if (message && message.room === current) showMessage(message, message.author === me);
}

function problem(error) {
  element("problem").textContent = error ? `That did not work: ${error.message}` : "";
}

element("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  element("login-problem").textContent = "";
  try {
    const second = await client.login(element("email").value, element("password").value);
    if (second) throw new Error("this page does not ask for a second factor");
    element("password").value = "";
  } catch (error) {
    const isWrong = error.status === 401 || error.status === 403;
    element("login-problem").textContent = isWrong ? "Email or password is wrong." : error.message;
  }
});

element("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = element("text").value.trim();
  if (!data || !current) return;
  problem();
  element("text").value = "";
  try {
    await messages.create({ room: current, data });
  } catch (error) {
    if (!element("text").value) element("text").value = data; // nothing typed is lost
    problem(error);
  }
});

element("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    element("composer").requestSubmit();
  }
});

element("logout").addEventListener("click", logOut);

if (client.user()) enter();
else leave();
