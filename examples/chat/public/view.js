/** What is on the screen. Text from others gets there as text, never as markup. */

const STATES = { connecting: "Connecting …", live: "Live", waiting: "Connection lost, trying again …" };
const NEAR_THE_END_PX = 80;

export const element = (id) => document.getElementById(id);

/** Show one of the two pages. */
export function showPage(name) {
  element("login").hidden = name !== "login";
  element("chat").hidden = name !== "chat";
}

export function showState(state) {
  element("state").dataset.state = state;
  element("state").textContent = STATES[state];
}

/** List the rooms. `choose` gets the id of the one that was clicked. */
export function showRooms(rooms, current, choose) {
  const items = [...rooms.values()].map((room) => {
    const button = make("button", { type: "button", textContent: room.name });
    button.setAttribute("aria-current", String(room.id === current));
    if (room.unread) button.append(make("span", { className: "unread", textContent: room.unread }));
    button.addEventListener("click", () => choose(room.id));
    const item = make("li");
    item.append(button);
    return item;
  });
  element("rooms").replaceChildren(...items);
  element("room-name").textContent = rooms.get(current)?.name ?? "Chat";
}

/** Forget the messages of the room before. */
export function clearMessages() {
  element("messages").replaceChildren();
}

/** Show a message in its place in time, or its new text. */
export function showMessage(message, isMine) {
  const list = element("messages");
  const wasAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_THE_END_PX;
  const order = timeOrder(message.id);
  const item = make("li", { className: isMine ? "mine" : "" });
  item.dataset.id = message.id;
  item.dataset.order = order;
  const time = new Date(parseInt(order.slice(0, 12), 16));
  const clock = time.toLocaleString([], { dateStyle: "short", timeStyle: "short" });
  item.append(
    make("span", { className: "by", textContent: `${message.author ?? "somebody"}, ${clock}` }),
    make("p", { textContent: message.data }),
  );
  const old = [...list.children].find((other) => other.dataset.id === message.id);
  if (old) old.replaceWith(item);
  else list.insertBefore(item, [...list.children].find((other) => other.dataset.order > order) ?? null);
  if (wasAtEnd || isMine) list.scrollTop = list.scrollHeight;
}

export function removeMessage(id) {
  [...element("messages").children].find((item) => item.dataset.id === id)?.remove();
}

/** An id (UUIDv7 in base64) as hexadecimal digits: they sort by time, and the first twelve are its milliseconds. */
function timeOrder(id) {
  const bytes = atob(id.replaceAll("-", "+").replaceAll("_", "/"));
  return [...bytes].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

function make(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}
