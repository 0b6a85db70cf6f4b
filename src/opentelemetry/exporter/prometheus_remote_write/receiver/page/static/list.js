// The metrics, by job and scope, searched as somebody types.
import { breakable, element, figure, quantity, unitOf, update, value } from "./dom.js";

const MOST = 300;
const KINDS = { counter: "counter", histogram: "histogram", gaugehistogram: "histogram", gauge: "gauge", unknown: "unknown type" };

export function showList(metrics, chosen, open) {
  const wanted = document.querySelector("#search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = metrics.filter((metric) => wanted.every((word) => `${metric.name} ${metric.help} ${metric.type}`.toLowerCase().includes(word)));
  const groups = new Map();
  let shown = 0;
  for (const metric of found) {
    for (const group of metric.groups) {
      const key = JSON.stringify([group.job, group.scope]);
      if (!groups.has(key)) groups.set(key, []);
      if (shown < MOST) groups.get(key).push(line(metric, group, key, chosen, open));
      shown += 1;
    }
  }
  const text = metrics.length === 0 ? "Nothing has come in yet." : `${found.length} of ${metrics.length} metrics`;
  update(document.querySelector("#found"), [shown > MOST ? `${text}; the first ${MOST} are shown: search for the others` : text]);
  update(document.querySelector("#groups"), [...groups].sort().map(([key, lines]) => {
    const [job, scope] = JSON.parse(key);
    const head = element("h3", {}, value(job || "no job"), scope ? " · " : "", scope ? value(scope) : "");
    return element("section", {}, head, ...lines);
  }));
}

function line(metric, group, key, chosen, open) {
  const kind = [KINDS[metric.type] ?? metric.type, metric.unit, `${group.series.toLocaleString("en")} series`].filter(Boolean).join(" · ");
  const p95 = metric.p95 === null ? "" : `p95 ${quantity(metric.p95, unitOf(metric))}`;
  return element("button", {
    type: "button",
    class: metric.stopped ? "metric stopped" : "metric",
    "aria-current": metric.name === chosen ? "true" : null,
    "data-key": `${key} ${metric.name}`,
    onclick: () => open(metric.name),
  },
  element("span", { class: "name" }, breakable(metric.name)), element("span", { class: "figures" }, figure(metric)),
  element("span", { class: "kind" }, kind), element("span", { class: "figures" }, metric.stopped ? "stopped" : p95));
}

// Arrow keys move among the metrics.
export function move(step) {
  const lines = [...document.querySelectorAll(".metric")];
  const at = lines.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : lines.length - 1) : Math.min(Math.max(at + step, 0), lines.length - 1);
  lines[next]?.focus();
}
