// The chosen metric: plots, facets, table, exemplars, query.
import { ago, element, figure, quantity, table, unitOf, update, value } from "./dom.js";
import { drawHeat, drawLines, drawQuantiles, drawRate } from "./plots.js";

const HOW = "pip install 'opentelemetry-exporter-prometheus-remote-write[view]'";
let frame = null;

export async function showMetric(metric, { wanted, toggle, back, hasPlots }) {
  frame = frame?.name === metric.name && frame.hasPlots === hasPlots ? frame : newFrame(metric.name, hasPlots, back);
  update(frame.head, head(metric));
  update(frame.facets, facets(metric, wanted, toggle));
  update(frame.table, rows(metric));
  update(frame.exemplars, exemplars(metric));
  update(frame.query, query(metric));
  update(frame.note, note(metric));
  if (!hasPlots) return;
  const isHistogram = metric.type === "histogram";
  frame.heat.hidden = !isHistogram;
  frame.rate.hidden = !isHistogram;
  if (isHistogram) {
    await drawQuantiles(frame.plot, metric);
    await drawRate(frame.rate, metric);
    await drawHeat(frame.heat, metric);
  } else {
    await drawLines(frame.plot, metric);
  }
  frame.plot.setAttribute("aria-label", `${metric.name}: ${figure(metric)}; the table below has the numbers`);
}

export function showGone(name) {
  frame = null;
  const gone = element("p", { class: "note" }, value(name), " has not come for as long as is kept.");
  document.querySelector("#detail").replaceChildren(gone);
}

function newFrame(name, hasPlots, back) {
  const part = (tag, attributes = {}) => element(tag, attributes);
  const made = {
    name, hasPlots, head: part("div"), plot: part("div", { class: "plot", role: "img" }),
    rate: part("div", { class: "rate", role: "img", "aria-label": "observations per second over time" }),
    heat: part("div", { class: "heat", role: "img", "aria-label": "observations by bucket over time" }),
    note: part("div"), facets: part("div"), table: part("div"), exemplars: part("div"), query: part("div"),
  };
  const plots = hasPlots
    ? [made.plot, made.rate, made.heat]
    : [element("p", { class: "note", id: "no-plots" }, "Plots need plotly.js, which plotly's wheel carries: ", element("code", {}, HOW), " and start otel-prw receive again.")];
  document.querySelector("#detail").replaceChildren(
    element("button", { type: "button", class: "back", onclick: back }, "‹ Metrics"),
    made.head, ...plots, made.note, made.facets, made.table, made.exemplars, made.query);
  return made;
}

function head(metric) {
  const unit = unitOf(metric);
  const figures = [figure(metric)];
  if (metric.p50 !== null) figures.push(`p50 ${quantity(metric.p50, unit)}`, `p95 ${quantity(metric.p95, unit)}`);
  const kind = [metric.type, metric.unit, `${metric.series.toLocaleString("en")} series`, ...figures].filter(Boolean).join(" · ");
  return [
    element("h2", {}, value(metric.name)),
    element("p", { class: metric.stopped ? "about stopped" : "about", id: "figures" }, metric.stopped ? `${kind} · stopped` : kind),
    metric.help ? element("p", {}, value(metric.help)) : "",
  ];
}

function note(metric) {
  const { plot } = metric;
  if (plot.more) return [element("p", { class: "note" }, `50 lines are drawn, ${plot.more.toLocaleString("en")} more are not: filter by label.`)];
  if (plot.left_out) return [element("p", { class: "note" }, `${plot.left_out.toLocaleString("en")} series are not in the plots: filter by label.`)];
  return [];
}

function facets(metric, wanted, toggle) {
  const useful = metric.facets.filter((facet) => facet.values.length > 1 || facet.values.some((each) => each.wanted));
  if (!useful.length) return [];
  return [
    element("h3", {}, "Filter by label"),
    element("div", { class: "facets" }, ...useful.map((facet) => element("fieldset", { class: "facet" },
      element("legend", {}, value(facet.label)),
      element("div", {}, ...facet.values.map((each) => element("button", {
        type: "button", class: "chip", "aria-pressed": String(each.wanted), "data-key": `${facet.label}=${each.value}`,
        onclick: () => toggle(facet.label, each.value),
      }, each.value ? value(each.value) : "(none)", " ", element("small", {}, String(each.streams)))),
      facet.more ? element("span", { class: "note" }, `and ${facet.more} more`) : ""))))];
}

function rows(metric) {
  const isHistogram = metric.type === "histogram";
  const unit = unitOf(metric);
  const sets = metric.table.map((row) => new Map(row.labels));
  const differs = [...new Set(sets.flatMap((labels) => [...labels.keys()]))].filter((name) => new Set(sets.map((labels) => labels.get(name))).size > 1);
  const heads = [["Labels"], [isHistogram ? "Observations" : "Value", true], ["Rate", true], ...(isHistogram ? [["p50", true], ["p95", true]] : []), ["Age", true]];
  const lines = metric.table.map((row, at) => {
    const labels = differs.filter((name) => sets[at].has(name)).map((name) => `${name}=${sets[at].get(name)}`).join("  ");
    const quantiles = isHistogram ? [quantity(row.p50, unit), quantity(row.p95, unit)] : [];
    return {
      stopped: row.stopped,
      cells: [labels ? value(labels) : "(no labels differ)", quantity(row.value, isHistogram ? "" : unit), row.rate === null ? "–" : `${quantity(row.rate)}/s`, ...quantiles, ago(row.age)],
    };
  });
  const more = metric.more ? element("p", { class: "note" }, `${metric.more.toLocaleString("en")} more: filter by label.`) : "";
  return [element("h3", {}, `${metric.streams.toLocaleString("en")} ${metric.streams === 1 ? "stream" : "streams"}`), table(heads, lines, "streams"), more];
}

function exemplars(metric) {
  if (!metric.exemplars.length) return [];
  const lines = metric.exemplars.map((each) => ({
    cells: [new Date(each.time).toLocaleTimeString([], { hour12: false }), quantity(each.value, unitOf(metric)), value(each.labels.map(([name, text]) => `${name}=${text}`).join("  "))],
  }));
  return [element("h3", {}, "Exemplars"), table([["Time"], ["Value", true], ["Labels"]], lines, "exemplars")];
}

function query(metric) {
  const text = element("code", { id: "promql" }, metric.promql);
  const copy = element("button", { type: "button", class: "copy", "data-key": "copy", onclick: () => navigator.clipboard?.writeText(metric.promql) }, "Copy");
  return [element("h3", {}, "The same in PromQL"), element("div", { class: "query" }, text, copy)];
}
