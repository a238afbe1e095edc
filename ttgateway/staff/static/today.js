// Today's statistics, and how long the orders took, against the target.

import { byId, el, say, svg } from "./dom.js";
import { call } from "./gateway.js";
import { clock, many } from "./time.js";

const STEPS = 4; // bars up to the target
const BARS = 2 * STEPS; // up to twice the target; one more is for what took longer
const WIDTH = 360;
const HEIGHT = 132;
const FOOT = 22;
const HEAD = 16;

let shown = "";

// Asks the gateway; what it returns is for `showToday`.
export async function today() {
  const { statistics } = await call("GET", "/statistics");
  const target = statistics.targetTime;
  const edges = Array.from({ length: BARS }, (_, step) => ((step + 1) * target) / STEPS);
  const within = statistics.ordersToday ? await Promise.all(edges.map(servedWithin)) : edges.map(() => 0);
  return { statistics, edges, within };
}

export function clearToday() {
  shown = "";
  for (const id of ["figures", "chart"]) byId(id).replaceChildren();
}

// How many of today's orders took at most so many seconds.
async function servedWithin(seconds) {
  const { statistics } = await call("GET", `/statistics?target_time=${Math.min(86400, seconds)}`);
  return Math.round((statistics.percentGoal * statistics.ordersToday) / 100);
}

export function showToday({ statistics, edges, within }) {
  const orders = statistics.ordersToday;
  const seen = JSON.stringify([statistics, within]);
  if (seen === shown) return;
  shown = seen;
  const figure = (name, value, rest = "") =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value, rest && el("small", {}, rest)));
  byId("figures").replaceChildren(
    figure("Served", String(orders)),
    figure("Within target", orders ? `${Math.round(statistics.percentGoal)} %` : "–"),
    figure("On average", orders ? clock(statistics.averageSeconds) : "–"),
  );
  // Orders that end between two of the questions would make a bar negative.
  const counts = [...within, orders].map((count, step) => Math.max(0, count - (step ? within[step - 1] : 0)));
  const none = el("p", { class: "nothing" }, "No order has been served today.");
  byId("chart").replaceChildren(...(orders ? chart(counts, edges, statistics) : [none]));
}

function chart(counts, edges, statistics) {
  const late = counts.slice(STEPS).reduce((sum, count) => sum + count, 0);
  const told = `${many(statistics.ordersToday, "order")} served today, ${late} of them later than the target of`
    + ` ${clock(statistics.targetTime)}`;
  return [picture(counts, told, edges), table(counts, edges), el("figcaption", {}, "How long today's orders took")];
}

function picture(counts, told, edges) {
  const most = Math.max(...counts, 1);
  const step = WIDTH / counts.length;
  const ground = HEIGHT - FOOT;
  const drawn = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": told });
  counts.forEach((count, place) => {
    const tall = (count / most) * (ground - 2 * HEAD);
    const bar = { x: place * step + 3, width: step - 6, y: ground - tall, height: tall, rx: 2 };
    const above = { x: (place + 0.5) * step, y: ground - tall - 4, class: "count" };
    if (!count) return;
    drawn.append(svg("rect", { ...bar, class: place < STEPS ? "bar" : "bar late" }));
    drawn.append(svg("text", above, String(count)));
  });
  const line = STEPS * step;
  drawn.append(
    svg("line", { x1: 0, x2: WIDTH, y1: ground, y2: ground, class: "ground" }),
    svg("line", { x1: line, x2: line, y1: HEAD, y2: ground + 4, class: "target" }),
    svg("text", { x: line - 6, y: 11, class: "side before" }, "in time"),
    svg("text", { x: line + 6, y: 11, class: "side after" }, "late"),
  );
  for (const mark of [STEPS / 2, STEPS, 1.5 * STEPS, BARS]) {
    const name = mark === STEPS ? `target ${clock(edges[mark - 1])}` : clock(edges[mark - 1]);
    drawn.append(svg("text", { x: mark * step, y: HEIGHT - 5, class: "mark" }, name));
  }
  return drawn;
}

// The same for who cannot see the picture.
function table(counts, edges) {
  const rows = counts.map((count, place) => {
    const from = place ? clock(edges[place - 1]) : "0:00";
    const name = place < edges.length ? `${from} to ${clock(edges[place])}` : `longer than ${from}`;
    return el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, String(count)));
  });
  const head = el("tr", {}, el("th", { scope: "col" }, "Took"), el("th", { scope: "col" }, "Orders"));
  const caption = el("caption", {}, "How long today's orders took");
  return el("table", { class: "unseen" }, caption, el("thead", {}, head), el("tbody", {}, ...rows));
}
