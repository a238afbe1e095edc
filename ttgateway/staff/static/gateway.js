// The gateway's API, version 2, with the secret of this tab.

import { GatewayClock } from "./time.js";

const KEPT = "ttgateway-secret";
const ENDS = "ttgateway-session-ends";
const LIMIT = 10000; // ms

export const clock = new GatewayClock();

// What the gateway does not grant; `status` is that of HTTP, `code` the returnCode.
export class Refused extends Error {
  constructor(status, message, code = null) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// No answer came.
export class Silent extends Error {}

let turnedAway = () => {};

// Calls `tell` when the gateway does not know the secret any more.
export function whenTurnedAway(tell) {
  turnedAway = tell;
}

export const secret = {
  get: () => sessionStorage.getItem(KEPT),
  // `ends` is when a session ends, in ms of the wall clock, for showing; a token has no end.
  keep(text, ends = null) {
    sessionStorage.setItem(KEPT, text);
    if (ends === null) sessionStorage.removeItem(ENDS);
    else sessionStorage.setItem(ENDS, String(ends));
  },
  forget() {
    sessionStorage.removeItem(KEPT);
    sessionStorage.removeItem(ENDS);
  },
  get ends() {
    const ends = sessionStorage.getItem(ENDS);
    return ends === null ? null : Number(ends);
  },
};

// Whether a text can be a secret at all: it goes into a header.
export const plausible = (text) => /^[\x21-\x7e]{1,512}$/.test(text);

async function ask(method, path, body, shown, limit) {
  let response, reply;
  try {
    response = await fetch(`/api/v2${path}`, {
      method,
      headers: shown ? { Authorization: `Bearer ${shown}` } : {},
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(limit),
    });
    reply = await response.json();
  } catch {
    throw new Silent("The gateway does not answer.");
  }
  clock.heard(response.headers.get("date"));
  if (response.ok) return reply;
  throw new Refused(response.status, reply.message ?? `The gateway refuses (${response.status}).`, reply.returnCode);
}

// The reply to one request; throws `Refused` or `Silent`.
export async function call(method, path, body, limit = LIMIT) {
  const shown = secret.get();
  if (shown === null) throw new Refused(401, "Nobody is signed in."); // any more: what goes on by itself ends here
  try {
    return await ask(method, path, body, shown, limit);
  } catch (error) {
    if (error.status === 401 && shown === secret.get()) turnedAway();
    if (error instanceof Silent && method !== "GET") error.message = "No answer; it may have been done.";
    throw error;
  }
}

// Sees whether a secret opens anything, and keeps it if so.
export async function signIn(text) {
  if (!plausible(text)) throw new Refused(401, "This is no token.");
  await ask("GET", "/accesstoken", undefined, text, LIMIT);
  secret.keep(text);
}

// Exchanges the code of a one-time link for a session.
export async function openSession(code) {
  const { session } = await ask("POST", "/accesstoken/session", { code }, null, LIMIT);
  secret.keep(session.secret, Date.now() + session.seconds * 1000);
}

// Forgets the secret; a session ends at the gateway, too. A token is somebody's, and stays valid.
export async function signOut() {
  const shown = secret.get();
  const session = secret.ends !== null;
  secret.forget();
  if (session && shown) {
    try {
      await ask("DELETE", "/accesstoken", undefined, shown, LIMIT);
    } catch {
      // it ends by itself
    }
  }
}
