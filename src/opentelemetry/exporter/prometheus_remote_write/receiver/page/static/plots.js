// Drawing with plotly.js, which the receiver serves where plotly is installed.
import { forPlotly, quantity, unitOf } from "./dom.js";

let loading = null;

export function loadPlotly() {
  loading ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = "static/plotly.js";
    script.onload = () => done(window.Plotly);
    script.onerror = () => fail(new Error("plotly.js cannot be loaded"));
    document.head.append(script);
  });
  return loading;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const times = (list) => list.map((time) => new Date(time));
const CONFIG = { displaylogo: false, displayModeBar: false, responsive: true };
const LINES = ["#3b7dd8", "#d97706", "#2f9e6e", "#c2417c", "#8b5cf6", "#0e9aa7", "#b45309", "#64748b", "#65a30d", "#dc2626"];

function layout(metric, title, more = {}) {
  const axis = { gridcolor: color("plot-grid"), zeroline: false, linecolor: color("line"), automargin: true };
  const byUnit = { seconds: { ticksuffix: " s" }, bytes: { ticksuffix: "B", tickformat: "~s" }, ratio: { tickformat: "~%" } };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: color("text"), family: "system-ui, sans-serif", size: 12 },
    margin: { l: 55, r: 10, t: 26, b: 34 },
    title: { text: forPlotly(title), font: { size: 12, color: color("soft") }, x: 0, xanchor: "left", y: 0.99, yanchor: "top" },
    xaxis: { ...axis, type: "date" },
    yaxis: { ...axis, rangemode: "tozero", ...(metric.is_rate && metric.type !== "histogram" ? { ticksuffix: "/s" } : byUnit[unitOf(metric)] ?? {}) },
    legend: { orientation: "h", y: -0.15 },
    hovermode: "closest",
    uirevision: metric.name, // what somebody has zoomed or switched off stays
    ...more,
  };
}

export async function drawLines(place, metric) {
  const Plotly = await loadPlotly();
  const { lines } = metric.plot;
  const traces = lines.map((line, at) => ({
    x: times(line.times), y: line.values, name: forPlotly(line.label || metric.name), type: "scatter",
    mode: line.times.length < 3 ? "lines+markers" : "lines", line: { color: LINES[at % LINES.length], width: 1.7 },
  }));
  const title = metric.is_rate ? "per second" : "value";
  await Plotly.react(place, traces, layout(metric, title, { showlegend: lines.length > 1 && lines.length <= 12 }), CONFIG);
}

export async function drawQuantiles(place, metric) {
  const Plotly = await loadPlotly();
  const { plot } = metric;
  const unit = unitOf(metric);
  const traces = Object.entries(plot.quantiles).map(([name, values], at) => ({
    x: times(plot.times), y: values, name, type: "scatter", mode: "lines+markers", marker: { size: 3 }, connectgaps: false,
    line: { color: color(`plot-${at + 1}`), width: 1.8 },
  }));
  const dots = metric.exemplars.filter((each) => each.value !== null);
  if (dots.length) {
    traces.push({
      x: dots.map((each) => new Date(each.time)), y: dots.map((each) => each.value), name: "exemplars", type: "scatter", mode: "markers",
      marker: { size: 8, symbol: "diamond-open", color: color("text") }, hovertemplate: "%{text}<extra></extra>",
      text: dots.map((each) => forPlotly(`${quantity(each.value, unit)} ${each.labels.map(([name, text]) => `${name}=${text}`).join(" ")}`)),
    });
  }
  await Plotly.react(place, traces, layout(metric, "quantiles", { showlegend: true }), CONFIG);
}

export async function drawRate(place, metric) {
  const Plotly = await loadPlotly();
  const { times: steps, rate } = metric.plot;
  const trace = { x: times(steps), y: rate, type: "scatter", mode: "lines", line: { color: color("plot-1"), width: 1.8 }, name: "rate" };
  await Plotly.react(place, [trace], layout(metric, "observations per second", { yaxis: { rangemode: "tozero", gridcolor: color("plot-grid"), automargin: true, ticksuffix: "/s" } }), CONFIG);
}

export async function drawHeat(place, metric) {
  const Plotly = await loadPlotly();
  const { plot } = metric;
  const unit = unitOf(metric);
  const names = plot.buckets.map(([lower, upper]) => (upper === null ? `> ${quantity(lower, unit)}` : `≤ ${quantity(upper, unit)}`));
  const trace = {
    type: "heatmap", x: times(plot.times), y: names.map(forPlotly), z: plot.counts, colorscale: [[0, color("back")], [1, color("accent")]],
    showscale: false, hovertemplate: "%{y}: %{z}<extra></extra>", xgap: 1, ygap: 1,
  };
  const more = { yaxis: { type: "category", automargin: true, gridcolor: color("plot-grid") } };
  await Plotly.react(place, [trace], layout(metric, "observations by bucket", more), CONFIG);
}
