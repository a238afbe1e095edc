// The page: who is let in, what is asked when, and what is said of the connection.

import * as board from "./board.js";
import { ailments } from "./causes.js";
import { byId, note, say, show } from "./dom.js";
import { Feed } from "./feed.js";
import { call, clock as gateway, openSession, secret, signIn, signOut, whenTurnedAway } from "./gateway.js";
import { forgetListeners, listeners, tickListeners, worst } from "./listeners.js";
import { moves } from "./presses.js";
import { clearToday, showToday, today } from "./today.js";
import { clock, now, words } from "./time.js";

const LOOK_EVERY = 4; // seconds between two looks at the listeners; more where the gateway takes long to answer
const PATIENCE = 10; // times as long as the answer took
const COUNT_EVERY = 60; // seconds between two looks at the statistics and settings, where no order has ended
const SLEPT = 20000; // ms that nobody looked
const PARTED = 5000; // ms between the clocks: one was set, or stood still
const COUNT_SOON = 10; // where one has

const name = document.title;
let feed = null;
let looking = null; // the timer of the next look
let looks = 0; // how many there were: the newest alone goes on
let hiddenAt = null; // since when nobody looks
let countAt = 0; // when the statistics are due
let apart = Date.now() - performance.now(); // the two clocks

// --- The door.

async function enter() {
  const code = new URLSearchParams(location.hash.slice(1)).get("open");
  if (code !== null) {
    history.replaceState(null, "", location.pathname); // it is not to stay in the address, nor in the history
    state("Signing in…", "");
    show(byId("connection"), true);
    try {
      await openSession(code);
    } catch (error) {
      if (!secret.get()) return knock(error.message);
      note(error.message, true);
    }
  }
  if (secret.get()) begin();
  else knock();
}

function knock(trouble = "") {
  end();
  for (const id of ["house", "leave", "connection"]) show(byId(id), false);
  show(byId("door"), true);
  say(byId("door-trouble"), trouble);
  say(byId("session"), "");
  document.title = name;
  board.forget(); // who is signed out leaves nothing behind
  forgetListeners();
  sumListeners("–", "");
  clearToday();
}

byId("door-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = byId("token");
  say(byId("door-trouble"), "");
  try {
    await signIn(field.value.trim());
  } catch (error) {
    const wrong = error.status === 401;
    say(byId("door-trouble"), wrong ? "The gateway does not know this token." : error.message);
    field.focus();
    field.select();
    return;
  }
  field.value = "";
  begin();
});

byId("leave").addEventListener("click", async () => {
  const leaving = signOut();
  knock();
  byId("token").focus();
  await leaving;
});

function turnedAway() {
  const session = secret.ends !== null;
  secret.forget();
  knock(session ? "The session has ended. Sign in again." : "The gateway does not know this token any more.");
  byId("token").focus();
}

whenTurnedAway(turnedAway);

// --- The house.

function begin() {
  end();
  const entering = byId("door").contains(document.activeElement); // what is hidden loses the focus
  show(byId("door"), false);
  for (const id of ["house", "leave", "connection"]) show(byId(id), true);
  if (entering) byId("name").focus();
  const { ends } = secret;
  const how = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const at = ends === null ? "" : new Date(ends).toLocaleTimeString([], how);
  say(byId("session"), at && `Signed in until ${at}`);
  board.forget();
  sum();
  state("Connecting", "");
  document.body.classList.remove("stale");
  banner("lost", false);
  feed = new Feed(secret.get(), {
    list: board.list,
    change(order) {
      board.change(order);
      if (order.state === "cleared") countAt = Math.min(countAt, now() + COUNT_SOON);
      sum();
    },
    connected,
    lost,
    refused: turnedAway,
  });
  feed.open();
}

function end() {
  feed?.close();
  feed = null;
  clearTimeout(looking);
}

function state(text, kind) {
  say(byId("connection"), text);
  byId("connection").className = `connection ${kind}`;
}

function connected() {
  state("Live", "live");
  document.body.classList.remove("stale");
  const trying = byId("lost").contains(document.activeElement);
  banner("lost", false);
  if (trying) byId("name").focus();
  sum();
  countAt = 0;
  look();
}

function lost() {
  clearTimeout(looking);
  state(feed.ever ? "Connection lost. Trying again." : "No connection yet. Trying again.", "gone");
  document.body.classList.toggle("stale", feed.ever);
  say(byId("lost-why"), feed.refusal);
  show(byId("lost-stale"), feed.ever);
  banner("lost", true);
  tell();
}

// Looks at what no feed tells of. Silence here means that the feed is dead as well, whatever its socket believes.
async function look() {
  clearTimeout(looking);
  if (!feed?.connected || document.hidden) return;
  const mine = feed;
  const turn = ++looks;
  const began = now();
  const due = began >= countAt;
  if (due) countAt = began + COUNT_EVERY;
  try {
    if (due) await readSettings();
    // One after the other: a request is a sign of life, for which listeners on this machine are tried just now.
    const health = await call("GET", "/gateway/check");
    const found = await call("GET", "/listeners");
    if (mine !== feed) return; // somebody has signed out meanwhile
    showHouse(found.items, health.check);
    if (due) {
      const counted = await today();
      if (mine !== feed) return;
      showToday(counted);
    }
  } catch (error) {
    if (error.status === undefined) mine.doubt();
  }
  const wait = Math.max(LOOK_EVERY, PATIENCE * (now() - began));
  if (mine === feed && turn === looks) looking = setTimeout(look, wait * 1000);
}

// The zone and the target, which may change while the page is open.
async function readSettings() {
  const { settings } = await call("GET", "/gateway/settings");
  gateway.zone = settings.timezone;
  board.setTarget(settings.targetTimeDefault);
  sum();
}

function showHouse(items, check) {
  listeners(items);
  const is = (state) => items.some((item) => item.state === state);
  sumListeners(worst(items), is("down") ? "over" : is("retrying") ? "near" : "");
  const wrong = ailments(check);
  banner("unwell", wrong.length > 0);
  say(byId("unwell"), wrong.join(" "));
}

// What comes and goes above the board moves it.
function banner(id, visible) {
  if (byId(id).hidden === visible) moves();
  show(byId(id), visible);
}

// --- What goes on by itself.

function sum() {
  const { active, over, oldest } = board.sums;
  say(byId("sum-active").querySelector("dd"), String(active ?? "–"));
  say(byId("sum-over").querySelector("dd"), String(over ?? "–"));
  byId("sum-over").className = over ? "over" : "";
  say(byId("sum-oldest").querySelector("dd"), oldest === null ? "–" : clock(oldest));
  document.title = over ? `(${over} over) ${name}` : name;
}

function sumListeners(text, kind) {
  say(byId("sum-listeners").querySelector("a"), text);
  byId("sum-listeners").className = kind;
}

function tell() {
  if (!feed || feed.connected) return;
  say(byId("lost-since"), `For ${words(now() - feed.since)}.`);
  const left = feed.next === null ? 0 : feed.next - now();
  say(byId("lost-next"), left >= 1 ? `Next try in ${words(left)}.` : "Trying now.");
}

setInterval(() => {
  if (document.hidden || !feed) return;
  if (parted()) feed.renew();
  board.tick();
  tickListeners();
  sum();
  tell();
}, 1000);

byId("lost-now").addEventListener("click", () => feed?.hurry());

// Whether the two clocks have parted since this was asked last: the one that ages are told by stands still in a sleep.
function parted() {
  const before = apart;
  apart = Date.now() - performance.now();
  return Math.abs(apart - before) > PARTED;
}

// A device that slept has lost time, and perhaps the connection: what it shows then is fetched anew.
document.addEventListener("visibilitychange", () => {
  const slept = hiddenAt !== null && Date.now() - hiddenAt > SLEPT;
  hiddenAt = document.hidden ? Date.now() : null;
  if (document.hidden || !feed) return;
  if (parted() || slept) feed.renew();
  else feed.hurry();
  board.tick();
  look();
});

window.addEventListener("online", () => feed?.hurry());

document.addEventListener("mended", look);

window.addEventListener("hashchange", () => location.hash.startsWith("#open=") && enter());

enter();
