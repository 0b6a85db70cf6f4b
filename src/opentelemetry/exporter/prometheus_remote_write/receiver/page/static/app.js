// The page of otel-prw receive: what is looked at stands in the address, and is loaded again when something has come in.
import { ago, quantity, update } from "./dom.js";
import { move, showList } from "./list.js";
import { showGone, showMetric } from "./metric.js";
import { showSenders } from "./senders.js";

const PAUSE = 1000; // milliseconds between two loads at least
const find = (selector) => document.querySelector(selector);
let metrics = [];
let hasPlots = false;
let isLoading = false;
let isDirty = false;
let isUrgent = false;
let lastLoad = 0;

function place() {
  const parts = new URLSearchParams(location.hash.slice(1));
  return { view: parts.get("view") ?? "metrics", metric: parts.get("metric"), wanted: parts.getAll("where") };
}

function go({ view = "metrics", metric = null, wanted = [] }) {
  const parts = new URLSearchParams();
  if (view !== "metrics") parts.set("view", view);
  if (metric !== null) parts.set("metric", metric);
  for (const each of wanted) parts.append("where", each);
  location.hash = parts.toString();
}

async function load(path) {
  const answer = await fetch(path);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`the receiver answered ${answer.status}`);
  return answer.json();
}

async function show() {
  const { view, metric, wanted } = place();
  find("#metrics-view").hidden = view !== "metrics";
  find("#senders-view").hidden = view !== "senders";
  find("#to-metrics").setAttribute("aria-pressed", String(view === "metrics"));
  find("#to-senders").setAttribute("aria-pressed", String(view === "senders"));
  document.body.classList.toggle("has-metric", metric !== null);
  if (view === "senders") {
    const data = await load("view/senders");
    showState(data.state);
    showSenders(data);
    return;
  }
  const data = await load("view/metrics");
  metrics = data.metrics;
  hasPlots = data.has_plots;
  showState(data.state);
  showList(metrics, metric, open);
  if (metric === null) return;
  const query = new URLSearchParams([["name", metric], ...wanted.map((each) => ["where", each])]);
  const found = await load(`view/metric?${query}`);
  if (place().metric !== metric) return; // somebody went on
  if (found === null) showGone(metric);
  else await showMetric(found, { wanted, toggle, back: () => go({}), hasPlots });
}

function open(metric) {
  go({ metric });
  if (matchMedia("(max-width: 760px)").matches) scrollTo(0, 0);
}

function toggle(label, value) {
  const { metric, wanted } = place();
  const text = `${label}=${value}`;
  go({ metric, wanted: wanted.includes(text) ? wanted.filter((each) => each !== text) : [...wanted, text] });
}

function showState(state) {
  const processes = `${state.processes} process${state.processes === 1 ? "" : "es"}`;
  const parts = [processes, `${state.series.toLocaleString("en")} series`, `${state.pushes.toLocaleString("en")} pushes`];
  parts.push(state.age === null ? "waiting for the first push" : `last push ${ago(state.age)} ago`);
  if (state.rejections) parts.push(`${state.rejections.toLocaleString("en")} rejected`);
  find("#state").textContent = parts.join(" · ");
  const kept = [`Kept: ${state.keep_series.toLocaleString("en")} series, points of ${quantity(state.keep, "seconds")}`];
  if (state.forgotten) kept.push(`${state.forgotten.toLocaleString("en")} series went because newer ones came`);
  if (state.passed_over) kept.push(`${state.passed_over.toLocaleString("en")} samples were of more series than are kept (--keep-series)`);
  find("#kept").textContent = kept.join(" · ");
}

// Loads one after the other, at most one a second, and none while nobody looks.
async function refresh() {
  isDirty = true;
  if (document.hidden || isLoading) return;
  isLoading = true;
  isDirty = false;
  isUrgent = false;
  try {
    await show();
    notice("");
  } catch (error) {
    notice(`The receiver does not answer: ${error.message}`);
  }
  lastLoad = performance.now();
  isLoading = false;
  if (isDirty) setTimeout(refresh, isUrgent ? 0 : PAUSE);
}

function notice(text) {
  find("#notice").textContent = text;
  find("#notice").hidden = !text;
}

let waiting = null;
function soon() {
  waiting ??= setTimeout(() => { waiting = null; refresh(); }, Math.max(lastLoad + PAUSE - performance.now(), 0));
}

const events = new EventSource("view/events");
events.onmessage = soon;
events.onerror = () => notice("The receiver is gone; this page goes on when it is back.");
events.onopen = () => notice("");
setInterval(soon, 5000); // ages go on, and what stops turns grey
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
addEventListener("hashchange", () => { isUrgent = true; refresh(); });
find(".skip").addEventListener("click", (event) => { event.preventDefault(); find("#detail").focus(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
find("#search").addEventListener("input", () => showList(metrics, place().metric, open));
find("#to-metrics").addEventListener("click", () => go({}));
find("#to-senders").addEventListener("click", () => go({ view: "senders" }));

addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { view } = place();
  if (event.key === "Escape") {
    if (isTyping) { find("#search").value = ""; showList(metrics, place().metric, open); find("#search").blur(); } else go({});
  } else if (view === "metrics" && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    if (!isTyping && !event.target.matches(".metric, body")) return;
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (view === "metrics" && isTyping && event.key === "Enter") {
    document.querySelector(".metric")?.click();
  } else if (!isTyping && event.key === "/") {
    if (view !== "metrics") go({});
    find("#search").focus();
  } else if (!isTyping && event.key === "t") {
    go({ view: view === "senders" ? "metrics" : "senders" });
  } else return;
  event.preventDefault();
});

update(find("#found"), []);
refresh();
