// The second view: who sends, what was pushed, what was rejected.
import { ago, element, quantity, table, update, value } from "./dom.js";

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
const labels = (pairs) => value(pairs.map(([name, text]) => `${name}=${text}`).join("  "));

export function showSenders(data) {
  const rejections = data.rejections.map((each) => ({ cells: [clock(each.at), String(each.status), value(each.reason), value(each.path)] }));
  const targets = data.targets.map((each) => ({
    stopped: each.stopped,
    cells: [value(each.job || "–"), value(each.instance || "–"), each.pushes.toLocaleString("en"), ago(each.age), each.interval === null ? "–" : quantity(each.interval / 1000, "seconds"), labels(each.info)],
  }));
  const pushes = data.pushes.map((each) => ({
    cells: [clock(each.at), value(each.from), each.repeated ? `${each.protocol}, again` : each.protocol, each.series.toLocaleString("en"), each.samples.toLocaleString("en"), quantity(each.bytes, "bytes"), quantity(each.seconds, "seconds")],
  }));
  const empty = (rows, text, made) => (rows.length ? made : element("p", { class: "note" }, text));
  update(document.querySelector("#senders-view"), [
    element("h3", {}, `Rejections: ${data.state.rejections.toLocaleString("en")}`),
    empty(rejections, "Nothing was rejected.", table([["Time"], ["Status", true], ["Reason"], ["Path"]], rejections, "rejections")),
    element("h3", {}, "Jobs and instances"),
    empty(targets, "Nobody has pushed yet.", table([["Job"], ["Instance"], ["Pushes", true], ["Last", true], ["Interval", true], ["target_info"]], targets, "jobs and instances")),
    element("h3", {}, `Pushes: ${data.state.pushes.toLocaleString("en")}`),
    empty(pushes, "Nothing has come in yet.", table([["Time"], ["From"], ["Version"], ["Series", true], ["Samples", true], ["Size", true], ["Taken in within", true]], pushes, "pushes")),
  ]);
}
