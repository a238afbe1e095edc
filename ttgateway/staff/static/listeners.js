// Who is told, how it stands with them, and what mends them.

import { explained } from "./causes.js";
import { busy, byId, el, note, put, say, show } from "./dom.js";
import { call, clock as gateway } from "./gateway.js";
import { hour, many, now, words } from "./time.js";

const WORST_FIRST = ["down", "retrying", "healthy"];
const HINT = "Ping tries it at once. Resync tells it every active order, in place of what waits. Replay tells it again"
  + " what came after a seq.";
const GREATEST = 999999999999999; // of all seqs that can be asked for
const SILENT = -30; // the returnCode of a ping that was not answered
const PING_LIMIT = 15000; // ms: a HEAD may take ten seconds

const cards = new Map(); // by id
let heard = 0; // when the list came, on `now`

// Takes the list as it came.
export function listeners(items) {
  heard = now();
  const listed = new Set(items.map((item) => item.id));
  for (const [id, card] of cards) {
    if (listed.has(id)) continue;
    card.element.remove();
    cards.delete(id);
  }
  const kept = held();
  const rank = (item) => WORST_FIRST.indexOf(item.state);
  const sorted = [...items].sort((a, b) => rank(a) - rank(b) || (a.url < b.url ? -1 : 1));
  sorted.forEach((item, place) => {
    const known = cards.get(item.id);
    const card = known ?? new Card(item.id);
    cards.set(item.id, card);
    card.takes(item);
    if (!kept) put(byId("listener-list"), card.element, place);
    else if (!known) byId("listener-list").append(card.element);
  });
  say(byId("listeners-sum"), items.length ? summed(items) : "No listener is registered.");
  tickListeners();
}

// Forgets all: nothing is known of who is told.
export function forgetListeners() {
  listeners([]);
  say(byId("listeners-sum"), "");
}

// Whether somebody is at the list: then no card moves away under the finger, nor a field out of sight.
function held() {
  const list = byId("listener-list");
  const open = list.querySelector("details[open]") !== null;
  return open || list.contains(document.activeElement) || list.matches(":hover");
}

// The worst in a few words: `1 of 13 down`, `13 healthy`.
export function worst(items) {
  if (!items.length) return "none";
  const state = WORST_FIRST.find((one) => items.some((item) => item.state === one));
  const count = items.filter((item) => item.state === state).length;
  return count === items.length ? `${count} ${state}` : `${count} of ${items.length} ${state}`;
}

// How many are in each state: `1 down, 12 healthy`.
function summed(items) {
  const count = (state) => items.filter((item) => item.state === state).length;
  return WORST_FIRST.filter(count).map((state) => `${count(state)} ${state}`).join(", ");
}

// Counts down to the next tries.
export function tickListeners() {
  for (const card of cards.values()) card.tick();
}

// A URL in pieces, so that a line breaks between them.
function spelled(url) {
  const [, scheme, rest] = /^(https?:\/\/)?(.*)$/s.exec(url);
  const pieces = (rest.match(/[^/?&]*[/?&]|[^/?&]+/g) ?? []).flatMap((piece) => [el("wbr"), piece]);
  return [el("span", { class: "scheme" }, scheme ?? ""), ...pieces];
}

class Card {
  constructor(id) {
    this.id = id;
    this.badge = el("span", { class: "badge" });
    this.url = el("h3", { class: "url" });
    this.cause = el("span", { class: "cause" });
    this.advice = el("span", { class: "advice" });
    this.trouble = el("p", { class: "why", hidden: true }, this.cause, " ", this.advice);
    this.next = el("p", { class: "next", hidden: true });
    this.counts = el("p", { class: "counts quiet" });
    this.since = el("input", { type: "text", inputmode: "numeric", id: `since-${id}`, class: "since", required: true });
    this.newest = el("span");
    this.ping = this.#button("Ping", () => this.#ping());
    this.resync = this.#button("Resync", () => this.#queue("resync", {}, "Every active order is told to"));
    this.replay = el("button", { type: "submit" }, "Replay");
    const form = el(
      "form",
      { class: "replay", novalidate: true, onsubmit: (event) => this.#replay(event) },
      el("label", { for: `since-${id}` }, "Replay since seq"),
      this.since,
      this.replay,
    );
    this.element = el(
      "li",
      {},
      el("div", { class: "head" }, this.badge, this.url),
      this.trouble,
      this.next,
      this.counts,
      el(
        "details",
        { ontoggle: (event) => event.target.open && this.#hint() },
        el("summary", {}, "Mend", el("span", { class: "unseen" })),
        el("div", { class: "mend" }, this.ping, this.resync, form),
        el("p", { class: "quiet hint" }, HINT, " ", this.newest),
      ),
    );
  }

  takes(item) {
    this.item = item;
    say(this.badge, item.state);
    this.element.className = item.state;
    if (this.url.textContent !== item.url) this.url.replaceChildren(...spelled(item.url));
    say(this.element.querySelector("summary .unseen"), ` ${item.url}`);
    for (const button of [this.ping, this.resync, this.replay]) {
      button.setAttribute("aria-label", `${button.textContent} ${item.url}`);
    }
    const troubled = item.state !== "healthy";
    show(this.trouble, troubled);
    if (troubled) {
      const [cause, advice] = explained(item.lastFailureCause);
      say(this.cause, cause);
      say(this.advice, advice);
    }
  }

  tick() {
    const { item } = this;
    const passed = now() - heard;
    show(this.next, item.state !== "healthy");
    if (item.state !== "healthy") say(this.next, `${this.#since()}${this.#due(passed)}`);
    const parts = [];
    if (item.pending) {
      const oldest = item.oldestPendingSeconds ? `, the oldest for ${words(item.oldestPendingSeconds + passed)}` : "";
      parts.push(`${many(item.pending, "change")} waiting${oldest}`);
    } else {
      parts.push("Nothing waits");
    }
    const success = gateway.since(item.lastSuccess);
    if (success !== null) parts.push(`last success ${success < 5 ? "just now" : `${words(success)} ago`}`);
    else parts.push(item.lastSuccess ? `last success at ${hour(item.lastSuccess)}` : "no success yet");
    if (item.parked) parts.push(`${many(item.parked, "change")} set aside, as it refused them`);
    say(this.counts, `${parts.join(" · ")}.`);
  }

  #since() {
    const began = this.item.failingSince ?? this.item.lastFailure;
    if (!began) return "";
    const lasts = gateway.since(began);
    const word = this.item.state === "down" ? "Down" : "Failing";
    return `${word} since ${hour(began)}${lasts === null ? "" : `, for ${words(lasts)}`}. `;
  }

  #due(passed) {
    const due = this.item.nextAttemptSeconds;
    if (due === null) return "Being tried now.";
    return due - passed >= 1 ? `Next try in ${words(due - passed)}.` : "Next try now.";
  }

  #button(name, press) {
    const button = el("button", { type: "button" }, name);
    button.addEventListener("click", () => this.#mend(button, press));
    return button;
  }

  // Does it, and has the page look at once what came of it.
  async #mend(button, press) {
    await busy(button, `${button.textContent} ${this.item.url}`, press);
    document.dispatchEvent(new Event("mended"));
  }

  // A seq is shown nowhere else. No change comes after the greatest one: the reply has but the newest.
  async #hint() {
    try {
      const { last } = await call("GET", `/events?since=${GREATEST}&limit=1`);
      say(this.newest, `The newest is ${last}.`);
    } catch {
      // it is only a hint
    }
  }

  async #ping() {
    try {
      await call("POST", `/listeners/${this.id}/ping`, {}, PING_LIMIT);
      note(`It answers: ${this.item.url}`);
    } catch (error) {
      if (error.code !== SILENT) throw error;
      note(`It does not answer: ${this.item.url}`, true);
    }
  }

  async #queue(what, body, words) {
    await call("POST", `/listeners/${this.id}/${what}`, body);
    note(`${words} ${this.item.url}`);
  }

  #replay(event) {
    event.preventDefault();
    const since = this.since.value.trim();
    if (!/^[0-9]{1,15}$/.test(since)) {
      note("Replay since which seq? A number; 0 for all that is kept.", true);
      this.since.focus();
      return;
    }
    const words = `Every change since ${since} is told again to`;
    this.#mend(this.replay, () => this.#queue("replay", { since: Number(since) }, words));
  }
}
