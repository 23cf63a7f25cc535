// The page: log in, then the sections. One whose operation is not there (404) does not appear.

import { finishLogIn, logIn, logOut, Refusal, resume, whoAmI } from "./api.js";
import { make } from "./dom.js";
import { allSections } from "./sections.js";

const find = (id) => document.getElementById(id);
const VIEWS = ["login", "factor", "sections"];
let pending = null; // token of a log-in that waits for its second factor

function show(view, title) {
  for (const name of VIEWS) find(name).hidden = name !== view;
  find("who").hidden = view !== "sections";
  find("title").textContent = title;
  document.title = title;
  find(view).querySelector("input")?.focus();
}

function say(text, isError = false) {
  const notice = find("notice");
  notice.classList.toggle("error", isError);
  notice.textContent = text;
}

/** Do something and say how it went; whoever is not logged in any more gets the form. */
async function tell(done, act) {
  say("");
  try {
    await act();
    say(done);
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) {
      show("login", "Log in");
      say("Your session has ended.", true);
    } else {
      say(error.message, true);
    }
  }
}

function build(section) {
  const place = make("div", { "aria-live": "off" });
  const id = `section-${section.title.toLowerCase().replaceAll(" ", "-")}`;
  const head = make("div", { class: "head" }, make("h2", { id }, section.title));
  const card = make("section", { class: section.wide ? "card wide" : "card", "aria-labelledby": id }, head, place);
  const load = async () => place.replaceChildren(await section.load(load));
  const refresh = make("button", { type: "button", class: "quiet", "aria-label": `Refresh ${section.title}` }, "Refresh");
  refresh.addEventListener("click", () => tell("", load));
  head.append(make("div", {}, ...(section.action ? [section.action(load), " "] : []), refresh));
  return { card, load };
}

/** Show all sections; throws what kept one of them from being shown. */
async function open() {
  show("sections", "Operations");
  find("name").textContent = whoAmI();
  const built = allSections(tell).map(build);
  find("sections").replaceChildren(...built.map(({ card }) => card));
  const outcomes = await Promise.allSettled(built.map(({ load }) => load()));
  const refusals = outcomes.map((outcome) => outcome.reason);
  built.forEach(({ card }, index) => {
    card.hidden = refusals[index]?.status === 404;
  });
  if (refusals.some((reason) => reason?.status === 403)) {
    await logOut();
    show("login", "Log in");
    throw new Error("This account is no administrator's.");
  }
  const other = refusals.find((reason) => reason && reason.status !== 404);
  if (other) throw other;
}

find("login").addEventListener("submit", (event) => {
  event.preventDefault();
  tell("", async () => {
    pending = null;
    try {
      pending = await logIn(find("user").value, find("password").value);
    } catch (error) {
      throw new Error(error.status === 401 ? "Name or password is wrong." : error.message);
    }
    find("password").value = "";
    if (pending) show("factor", "Second factor");
    else await open();
  });
});

find("factor").addEventListener("submit", (event) => {
  event.preventDefault();
  tell("", async () => {
    try {
      await finishLogIn(pending, find("code").value.trim());
    } catch (error) {
      throw new Error(error.status === 401 ? "The code is wrong, or took too long." : error.message);
    } finally {
      find("code").value = "";
    }
    await open();
  });
});

find("leave").addEventListener("click", async () => {
  await logOut();
  find("sections").replaceChildren();
  show("login", "Log in");
  say("You are logged out.");
});

if (await resume().catch(() => false)) await tell("", open);
else show("login", "Log in");
