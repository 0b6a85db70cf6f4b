// Elements whose content is text and never markup, and numbers as people read them.

export function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...content.filter((part) => part !== null && part !== undefined));
  return made;
}

// What cannot be seen, or turns the direction of what follows, is written out.
export function visible(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);
}

export function value(text) {
  return element("span", { class: "value" }, visible(text));
}

// A name that may be broken after each underscore.
export function breakable(text) {
  const parts = visible(text).split(/(?<=[_.])/u);
  return element("span", { class: "value" }, ...parts.flatMap((part) => [part, element("wbr")]));
}

// Plotly takes a few tags and entities in texts for markup.
export function forPlotly(text) {
  return visible(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const SCALES = {
  seconds: [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]],
  bytes: [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]],
};
const THOUSANDS = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

function digits(number) {
  if (number === 0 || Number.isInteger(number)) return number.toLocaleString("en");
  return Math.abs(number) < 1e-6 ? number.toPrecision(2) : number.toLocaleString("en", { maximumSignificantDigits: 3 });
}

export function quantity(number, unit = "") {
  if (number === null || number === undefined) return "–";
  if (unit === "seconds" && number >= 1e9 && number < 1e10) return new Date(number * 1000).toLocaleString([], { hour12: false });
  if (unit === "ratio") return `${digits(number * 100)} %`;
  if (SCALES[unit]) {
    const scale = SCALES[unit];
    const [factor, letters] = scale.find(([size]) => Math.abs(number) >= size) || (number ? scale.at(-1) : [1, unit[0] === "b" ? "B" : "s"]);
    return `${digits(number / factor)} ${letters}`;
  }
  const [factor, letter] = THOUSANDS.find(([size]) => Math.abs(number) >= 10 * size) || [1, ""];
  return digits(number / factor) + letter;
}

export function unitOf(metric) {
  const ends = (unit) => metric.name.replace(/_total$/, "").endsWith(`_${unit}`);
  if (["s", "seconds"].includes(metric.unit) || ends("seconds")) return "seconds";
  if (["By", "bytes"].includes(metric.unit) || ends("bytes")) return "bytes";
  return ends("ratio") ? "ratio" : metric.unit;
}

export function ago(seconds) {
  return seconds === null ? "–" : quantity(seconds < 60 ? Math.max(Math.floor(seconds), 0) : seconds, "seconds");
}

export function figure(metric) {
  if (metric.rate !== null) return `${quantity(metric.rate)}/s`;
  const unit = unitOf(metric);
  if (metric.lowest === null) return metric.total === null ? "" : quantity(metric.total, unit);
  const [low, high] = [quantity(metric.lowest, unit), quantity(metric.highest, unit)];
  return low === high ? low : `${low} to ${high}`;
}

export function table(heads, rows, caption) {
  const cell = (tag, content, isNumber) => element(tag, { class: isNumber ? "number" : null, scope: tag === "th" ? "col" : null }, content);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map(([head, isNumber]) => cell("th", head, isNumber)))),
      element("tbody", {}, ...rows.map(({ cells, stopped }) =>
        element("tr", { class: stopped ? "stopped" : null }, ...cells.map((content, place) => cell("td", content, heads[place][1])))))));
}

// Replace what an element shows, unless it shows the same already: so that focus, selection and scrolling stay.
const shown = new WeakMap();
export function update(place, content) {
  const text = content.map((part) => part.outerHTML ?? part).join("");
  if (shown.get(place) === text) return;
  shown.set(place, text);
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  place.replaceChildren(...content);
  if (focused) [...place.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused)?.focus();
}
