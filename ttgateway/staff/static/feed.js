// The live changes: a WebSocket that is opened again for as long as it takes, after waits that double.

import { now } from "./time.js";

const FIRST = 0.5; // seconds
const LONGEST = 30;
const OPENS_WITHIN = 8000; // ms

export class Feed {
  #socket = null;
  #timer = null; // of the next try, or of the one under way
  #wait = FIRST;
  #over = false;

  // `told` has `list(items)`, `change(change)`, `connected()`, `lost()` and `refused()`.
  constructor(secret, told) {
    this.secret = secret;
    this.told = told;
    this.since = null; // since when there is no connection, on `now`; null while there is one
    this.next = null; // when the next try is due; null while one is under way
    this.ever = false; // whether there was a connection before
    this.refusal = ""; // what the gateway said when it let nobody in
  }

  open() {
    clearTimeout(this.#timer);
    if (this.#over) return;
    this.next = null;
    this.since ??= now();
    this.refusal = "";
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v2/websocket`);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#drop(socket), OPENS_WITHIN);
    socket.onopen = () => socket.send(JSON.stringify({ accesstoken: this.secret }));
    socket.onmessage = (event) => socket === this.#socket && this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      if (event.code === 4401) this.#refuse();
      else this.#drop(socket);
    };
  }

  close() {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  get connected() {
    return this.since === null;
  }

  // Tries at once, if a try is due only later.
  hurry() {
    if (this.next !== null) this.open();
  }

  // Takes the list anew, on another socket.
  renew() {
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    this.open();
  }

  // The gateway was silent elsewhere: the socket may be dead without knowing it.
  doubt() {
    if (this.connected && this.#socket) this.#drop(this.#socket);
  }

  #hear(message) {
    if (message.type === "ACTIVE_ORDERS") {
      clearTimeout(this.#timer);
      this.#wait = FIRST;
      this.since = null;
      this.ever = true;
      this.told.list(message.items);
      this.told.connected();
    } else if (message.uuid) {
      this.told.change(message);
    } else if (message.message) {
      this.refusal = message.message; // it closes next
    }
  }

  #drop(socket) {
    this.#socket = null;
    socket.close();
    clearTimeout(this.#timer);
    if (this.#over) return;
    this.since ??= now();
    const wait = this.#wait * (0.8 + 0.4 * Math.random());
    this.#wait = Math.min(LONGEST, this.#wait * 2);
    this.next = now() + wait;
    this.#timer = setTimeout(() => this.open(), wait * 1000);
    this.told.lost();
  }

  #refuse() {
    this.close();
    this.told.refused();
  }
}
