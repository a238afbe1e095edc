// The board: one row an order, the oldest first. Rows stay where they are, and so does the focus.

import { byId, busy, el, note, put, say, show, tell } from "./dom.js";
import { call } from "./gateway.js";
import { aimed, moves, paces } from "./presses.js";
import { clock, hour, now } from "./time.js";

const NEAR = 0.8; // of the target
const SURE_WITHIN = 5000; // ms to press a second time
const STATES = { started: "Started", located: "Located" };
const TYPES = { ON_PREMISE: "On premise", TO_GO: "To go" };

const rows = new Map(); // by uuid
let target = null; // seconds

export const sums = { active: null, over: null, oldest: null }; // null: nothing is known

let told = false; // what is active, at all

// Takes the whole list, in its order: what is not in it is no longer active.
export function list(items) {
  told = true;
  const listed = new Set(items.map((item) => item.uuid));
  for (const uuid of [...rows.keys()]) if (!listed.has(uuid)) remove(uuid);
  items.forEach((item, place) => {
    update(item);
    put(byId("orders"), rows.get(item.uuid).element, place);
  });
  tick();
}

// Forgets all: nothing is known of what is active.
export function forget() {
  list([]);
  told = false;
  tick();
}

// Takes one change.
export function change(order) {
  if (order.state === "cleared") remove(order.uuid);
  else update(order, true);
  tick();
}

export function setTarget(seconds) {
  if (seconds === target) return;
  target = seconds;
  say(byId("board-target"), target === null ? "" : `Target ${clock(target)}`);
  tick();
}

// Shows how old each order is by now.
export function tick() {
  const at = now();
  const passed = [];
  let over = 0;
  let oldest = null;
  for (const row of rows.values()) {
    const age = Math.max(0, at - row.born);
    oldest = Math.max(oldest ?? 0, age);
    if (row.shows(age)) passed.push(row.order.name);
    if (row.level === "over") over += 1;
  }
  Object.assign(sums, { active: told ? rows.size : null, over: told ? over : null, oldest });
  show(byId("no-orders"), told && rows.size === 0);
  show(byId("board"), rows.size > 0);
  if (passed.length > 3) tell(`${passed.length} orders have passed the target.`);
  else if (passed.length) tell(`Over target: order ${passed.join(", order ")}.`);
}

function update(order, changed = false) {
  let row = rows.get(order.uuid);
  if (!row) {
    row = new Row(order);
    rows.set(order.uuid, row);
    byId("orders").append(row.element);
  }
  row.takes(order);
  if (changed) row.flash();
}

function remove(uuid) {
  const row = rows.get(uuid);
  if (!row) return;
  rows.delete(uuid);
  const held = row.element.contains(document.activeElement);
  const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
  row.element.remove();
  moves();
  if (!held) return;
  show(byId("no-orders"), rows.size === 0); // or it could not take the focus
  (next?.querySelector("th") ?? byId("no-orders")).focus(); // not on a button, which would be another order's
}

class Row {
  constructor(order) {
    this.order = order;
    this.level = null;
    this.sure = null; // the timer of a first press on Clear
    this.apart = paces();
    const cell = (name, ...children) => el("td", { role: "cell", class: name }, ...children);
    this.number = el("th", { role: "rowheader", scope: "row", class: "number", tabindex: "-1" });
    this.where = el("span");
    this.kind = cell("kind");
    this.state = el("span", { class: "chip" });
    this.paged = el("span", { class: "chip paged", hidden: true }, "Paged");
    this.age = el("span", { class: "clock" });
    this.verdict = el("span", { class: "verdict" });
    const button = (name, press) =>
      el("button", { type: "button", class: name, onclick: (event) => aimed(event) && press() });
    this.page = button("page", () => this.pressPage());
    this.clear = button("clear", () => this.pressClear());
    this.element = el(
      "tr",
      { role: "row" },
      this.number,
      cell("where", el("span", { class: "label", "aria-hidden": "true" }, "Table "), this.where),
      this.kind,
      cell("state", this.state, this.paged),
      cell("age", this.age, this.verdict),
      cell("do", this.page, this.clear),
    );
    this.calm();
  }

  takes(order) {
    const born = now() - order.elapsedTime;
    // Ages come in whole seconds, each a little late: where they agree, the first stays, and no age jumps.
    if (this.born === undefined || Math.abs(born - this.born) > 2) this.born = born;
    this.order = order;
    say(this.number, order.name);
    say(this.where, order.locationName || "–");
    this.element.classList.toggle("nowhere", !order.locationName);
    say(this.kind, TYPES[order.orderType] ?? order.orderType);
    say(this.state, STATES[order.state] ?? order.state);
    show(this.paged, order.paged);
    say(this.page, order.paged ? "Stop paging" : "Page");
    this.page.setAttribute("aria-label", `${this.page.textContent} order ${order.name}`);
    this.element.title = `Since ${hour(order.created)}`;
  }

  // Shows its age; returns whether it has just passed the target.
  shows(age) {
    const left = target === null ? null : target - Math.floor(age);
    const level = left === null ? "" : left < 0 ? "over" : age >= NEAR * target ? "near" : "well";
    say(this.age, clock(age));
    say(this.verdict, left === null ? "" : left < 0 ? `${clock(-left)} over target` : `${clock(left)} to target`);
    const passed = level === "over" && Boolean(this.level) && this.level !== "over"; // not one that came late
    if (level !== this.level) {
      this.element.classList.remove("over", "near", "well");
      if (level) this.element.classList.add(level);
      this.level = level;
    }
    return passed;
  }

  flash() {
    this.element.classList.remove("fresh");
    void this.element.offsetWidth; // so that it begins anew
    this.element.classList.add("fresh");
  }

  pressPage() {
    const { uuid, name, paged } = this.order;
    busy(this.page, `${paged ? "Stop paging" : "Page"} order ${name}`, async () => {
      await call(paged ? "DELETE" : "POST", `/activeorders/${uuid}/page`);
      note(paged ? `Order ${name} is paged no more.` : `Order ${name} is being paged.`);
    });
  }

  // What is cleared does not come back, so it takes two presses, and a double click is none.
  pressClear() {
    const { uuid, name } = this.order;
    const apart = this.apart();
    if (this.sure === null) {
      this.sure = setTimeout(() => this.calm(), SURE_WITHIN);
      say(this.clear, "Sure?");
      this.clear.classList.add("sure");
      this.clear.setAttribute("aria-label", `Sure? Clear order ${name}`);
      tell(`Press again to clear order ${name}.`);
      return;
    }
    if (!apart) return;
    this.calm();
    busy(this.clear, `Clear order ${name}`, async () => {
      await call("DELETE", `/activeorders/${uuid}`);
      note(`Order ${name} is cleared.`);
    });
  }

  calm() {
    clearTimeout(this.sure);
    this.sure = null;
    say(this.clear, "Clear");
    this.clear.classList.remove("sure");
    this.clear.setAttribute("aria-label", `Clear order ${this.order.name}`);
  }
}
