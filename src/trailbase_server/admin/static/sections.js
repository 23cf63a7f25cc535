// The sections of the page, each: what it asks for, what it shows, what can be done.

import { admin, readiness } from "./api.js";
import { bars, facts, make, moment, size, state, table } from "./dom.js";

const PAGE = 50; // entries of the access log at once

/** A button that cannot be pressed twice; `act` does the work and tells. */
function button(text, act, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      await act();
    } finally {
      made.disabled = false;
    }
  });
  return made;
}

function serverSection() {
  return {
    title: "Server",
    async load() {
      const [info, ready] = await Promise.all([admin("GET", "/info"), readiness()]);
      const checks = Object.entries(ready.details ?? {}).map(([name, found]) => [
        name,
        make("span", {}, state(found.state, found.state === "ok"), found.message ? ` ${found.message}` : ""),
      ]);
      return facts([
        ["Readiness", state(ready.status, ready.status === "ready")],
        ...checks,
        ["Version", `${info.compiler ?? ""} (wire ${info.git_version?.tag ?? "?"})`],
        ["Running since", moment(info.start_time)],
        ["Reader threads", String(info.threads)],
        ["Command line", make("code", {}, (info.command_line_arguments ?? []).join(" "))],
      ]);
    },
  };
}

function reloadSection(tell) {
  return {
    title: "Configuration",
    async load() {
      const { last, config_hash: hash } = await admin("GET", "/reload");
      const failed = (last?.steps ?? []).filter((step) => step.error);
      return facts([
        ["Fingerprint", make("code", {}, hash)],
        ["Last reload", last ? moment(last.finished) : "none since the start"],
        ...(last ? [["Outcome", state(last.ok ? "ok" : "failed", last.ok)]] : []),
        ...failed.map((step) => [step.name, make("span", { class: "bad" }, step.error)]),
      ]);
    },
    action(reload) {
      return button("Reload", () =>
        tell("Reloaded.", async () => {
          try {
            await admin("POST", "/reload");
          } finally {
            await reload();
          }
        }),
      );
    },
  };
}

function jobSection(tell) {
  const result = ([, duration, error]) =>
    make("span", {}, state(error ?? "ok", !error), ` ${Math.round(duration)} ms`);
  return {
    title: "Jobs",
    wide: true,
    async load(reload) {
      const { jobs } = await admin("GET", "/jobs");
      const run = (job) =>
        tell(`${job.name} has run.`, async () => {
          const { error } = await admin("POST", "/job/run", { id: job.id });
          await reload();
          if (error) throw new Error(`${job.name}: ${error}`);
        });
      return table(
        "Jobs",
        ["Name", "Schedule", "Next run", "Last run", "Result", ""],
        jobs.map((job) => [
          job.name,
          make("code", {}, job.schedule),
          job.enabled ? moment(job.next) : "switched off",
          job.latest ? moment(job.latest[0]) : "–",
          job.latest ? { long: result(job.latest) } : "–",
          button("Run", () => run(job), { class: "quiet", "aria-label": `Run ${job.name}` }),
        ]),
      );
    },
  };
}

function backupSection(tell) {
  return {
    title: "Backups",
    async load() {
      const { backups } = await admin("GET", "/backups");
      const rows = backups.toSorted((one, other) => other.timestamp - one.timestamp);
      return table(
        "Backups",
        ["Made", "Number", "Size"],
        rows.map((one) => [moment(one.timestamp), make("code", {}, String(one.timestamp)), size(one.size)]),
      );
    },
    action(reload) {
      return button("Back up now", () =>
        tell("A backup was made.", async () => {
          await admin("POST", "/backups/trigger");
          await reload();
        }),
      );
    },
  };
}

function logQuery(fields, cursor) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (fields.status) query.set("filter[status]", fields.status);
  if (fields.method) query.set("filter[method]", fields.method);
  if (fields.url) query.set("filter[url][$like]", `%${fields.url}%`);
  if (cursor) query.set("cursor", cursor);
  return query;
}

function logSection(tell) {
  const fields = { status: "", method: "", url: "" };
  const methods = ["", "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"];
  const field = (label, input) => make("div", {}, make("label", { for: input.id }, label), input);

  function form(reload) {
    const choice = make("select", { id: "log-method" }, ...methods.map((name) => make("option", { value: name }, name || "any")));
    const status = make("input", { id: "log-status", inputmode: "numeric", pattern: "[0-9]{3}", value: fields.status });
    const url = make("input", { id: "log-url", value: fields.url, autocapitalize: "none", spellcheck: "false" });
    choice.value = fields.method;
    return make(
      "form",
      {
        class: "filter",
        onsubmit: (event) => {
          event.preventDefault();
          Object.assign(fields, { status: status.value, method: choice.value, url: url.value });
          tell("", reload);
        },
      },
      field("Status", status),
      field("Method", choice),
      field("Address contains", url),
      make("button", { type: "submit" }, "Filter"),
    );
  }

  function rows(entries) {
    return table(
      "Access log",
      ["Status", "Time", "Method", "Address", "ms", "Client"],
      entries.map((one) => [
        state(String(one.status), one.status < 400),
        moment(one.created),
        one.method,
        { long: one.url },
        one.latency_ms.toFixed(1),
        one.client_ip,
      ]),
    );
  }

  return {
    title: "Access log",
    wide: true,
    async load(reload) {
      const [stats, first] = await Promise.all([
        admin("GET", "/logs/stats"),
        admin("GET", `/logs/list?${logQuery(fields)}`),
      ]);
      const all = [...first.entries];
      const place = make("div", {}, rows(all));
      let cursor = first.cursor;
      const older = button(
        "Older",
        () =>
          tell("", async () => {
            const page = await admin("GET", `/logs/list?${logQuery(fields, cursor)}`);
            all.push(...page.entries);
            cursor = page.cursor;
            place.replaceChildren(rows(all));
            older.hidden = page.entries.length < PAGE;
          }),
        { class: "quiet" },
      );
      older.hidden = first.entries.length < PAGE;
      const rates = stats.rates.slice(-200).map(([, rate]) => rate);
      const now = rates.at(-1) ?? 0;
      return make(
        "div",
        {},
        bars(`Requests a second over time, lately ${now.toFixed(2)}`, rates),
        form(reload),
        place,
        older,
      );
    },
  };
}

/** All of them, in the order of the page; `tell` shows how an action went. */
export function allSections(tell) {
  return [serverSection(), reloadSection(tell), backupSection(tell), jobSection(tell), logSection(tell)];
}
