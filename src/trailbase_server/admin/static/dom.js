// Building elements, and how values are written. Texts are always text, never markup.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export function facts(pairs) {
  return make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** Rows of cells; a cell is a text, an element, or {long: either}, which may take several lines. */
export function table(label, heads, rows) {
  if (rows.length === 0) return make("p", { class: "soft" }, "None.");
  const isLong = (value) => typeof value === "object" && !(value instanceof Node);
  const cell = (value) => (isLong(value) ? make("td", { class: "long" }, value.long) : make("td", {}, value));
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map((row) => make("tr", {}, ...row.map(cell)));
  return make(
    "div",
    { class: "scroll", role: "region", "aria-label": `${label}, table`, tabindex: "0" },
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)),
  );
}

const SVG = "http://www.w3.org/2000/svg";

/** Bars of numbers, the newest at the right. */
export function bars(label, values) {
  const chart = document.createElementNS(SVG, "svg");
  const width = Math.max(values.length, 40);
  chart.setAttribute("class", "chart");
  chart.setAttribute("viewBox", `0 0 ${width} 10`);
  chart.setAttribute("preserveAspectRatio", "none");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", label);
  const most = Math.max(...values, Number.MIN_VALUE);
  values.forEach((value, index) => {
    const bar = document.createElementNS(SVG, "rect");
    const height = Math.max((value / most) * 10, 0.2);
    bar.setAttribute("x", String(width - values.length + index));
    bar.setAttribute("y", String(10 - height));
    bar.setAttribute("width", "0.8");
    bar.setAttribute("height", String(height));
    chart.append(bar);
  });
  return chart;
}

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function moment(seconds) {
  if (seconds == null) return "–";
  const date = new Date(seconds * 1000);
  return make("time", { datetime: date.toISOString() }, MOMENT.format(date));
}

export function size(bytes) {
  if (bytes == null) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  return `${power ? value.toFixed(1) : value} ${units[power]}`;
}

export function state(word, isGood) {
  return make("span", { class: isGood ? "good" : "bad" }, word);
}
