// A listener to copy from: it misses no change, does none twice, and knows what is the gateway's. Node 20 alone.
//
//     TTGATEWAY_TOKEN=... node listener.mjs http://GATEWAY:8000 http://THIS-MACHINE:8990/orders orders.json
//
// With WEBHOOK_SECRET=whsec_... in the environment, it takes nothing that is not signed with that.

import { createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { dirname } from "node:path";

const [gateway, ownUrl, file] = process.argv.slice(2);
const { TTGATEWAY_TOKEN: token, WEBHOOK_SECRET: secret = "" } = process.env;
const own = new URL(ownUrl);

// The orders, and how far we are: seq, in the journal called epoch. All is in one file, old or new.
const load = () => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { epoch: "", seq: 0, orders: {} });
let kept = load();
let snapshot = null; // what has come of a snapshot that is being told

// What happens at a power cut is either before this or after it.
function save() {
  const descriptor = openSync(`${file}.new`, "w");
  writeSync(descriptor, JSON.stringify(kept));
  sync(descriptor);
  renameSync(`${file}.new`, file);
  sync(openSync(dirname(file), "r")); // the new name, too
}

function sync(descriptor) {
  fsyncSync(descriptor);
  closeSync(descriptor);
}

// Calls the gateway; throws where it is not reached. Who calls looks at the status.
async function call(method, path, body) {
  const reply = await fetch(gateway + path, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(4000),
  });
  return reply.json(); // every reply is JSON, and repeats its status
}

// Registers; the gateway then tells first how things stand: a snapshot.
let timer;
async function register() {
  clearTimeout(timer);
  let pause = 600_000; // and again: the gateway's store may have been replaced
  try {
    const wishes = { http_client: ownUrl, snapshot: true, ...(secret && { secret }) };
    const reply = await call("POST", "/api/v2/register", wishes);
    if (reply.status !== 200) throw new Error(reply.message);
  } catch (error) { // it may be starting, or not reach us yet
    console.log("cannot register yet:", error.message);
    pause = 2000;
  }
  clearTimeout(timer);
  timer = setTimeout(register, pause);
}

// Tells whether a delivery is the gateway's. Its age is not judged: clocks in stores are wrong, and seq knows.
function isSigned(headers, body) {
  const hmac = createHmac("sha256", Buffer.from(secret.replace(/^whsec_/, ""), "base64"));
  hmac.update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`).update(body);
  const expected = Buffer.from(`v1,${hmac.digest("base64")}`);
  const shown = (headers["webhook-signature"] ?? "").split(" ").map((one) => Buffer.from(one));
  return shown.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

// Returns the active orders, and those that were cleared of late: they are known for a while if they are told again.
function worthKeeping(orders, seq) {
  const isKept = ([, one]) => one.state !== "cleared" || one.seq > seq - 500;
  return Object.fromEntries(Object.entries(orders).filter(isKept));
}

// Does what is to be done for one change, which comes here once: this is the place for your own work.
function apply(change) {
  console.log(change.seq, change.type, change.name, change.state);
  kept.seq = Math.max(kept.seq, change.seq);
  kept.orders = worthKeeping({ ...kept.orders, [change.uuid]: change }, kept.seq);
}

// Fetches the changes up to `until` that have not come; returns whether there are no others any more.
async function catchUp(epoch, until) {
  while (epoch === kept.epoch && kept.seq < until) {
    const reply = await call("GET", `/api/v2/events?since=${kept.seq}&epoch=${epoch}&limit=100`).catch((error) => error);
    const missed = (reply.items ?? []).filter((change) => change.seq <= until);
    if (!missed.length) { // 410: no longer kept
      console.log("cannot fetch what is missing:", reply.message);
      return false;
    }
    missed.forEach(apply);
    save();
  }
  return epoch === kept.epoch;
}

// Takes a delivery; forgets what could not be kept, or it would pass for known when it comes again.
async function takeOrForget(...delivery) {
  try {
    return await take(...delivery);
  } catch (error) {
    kept = load();
    throw error;
  }
}

// Makes a delivery safe; returns false if it should come again, as something before it is missing.
async function take(epoch, change, inSnapshot, attempt) {
  const { type, seq, uuid } = change;
  if (type === "SNAPSHOT_BEGIN") {
    await catchUp(epoch, seq); // what we missed one by one, where that can be had
    snapshot = {};
  } else if (inSnapshot && !snapshot) {
    return false; // we were started in the middle of it
  } else if (type === "SNAPSHOT_END") {
    if (epoch !== kept.epoch || seq >= kept.seq) { // else it is an old one
      console.log("snapshot", seq, ...Object.values(snapshot).map((one) => one.name).sort());
      const before = epoch === kept.epoch ? Object.entries(kept.orders) : [];
      const cleared = Object.fromEntries(before.filter(([, one]) => one.state === "cleared"));
      kept = { epoch, seq, orders: worthKeeping({ ...cleared, ...snapshot }, seq) };
      save();
    }
    snapshot = null;
  } else if (inSnapshot) {
    snapshot[uuid] = change;
  } else if (epoch === kept.epoch && kept.orders[uuid]?.seq >= seq) {
    console.log(seq, "came again");
  } else {
    if (!(await catchUp(epoch, seq - 1))) {
      if (attempt < 3) return false; // a snapshot is on its way, as we register
      if (epoch !== kept.epoch) kept = { epoch, seq: 0, orders: {} }; // it is not: then this is all that we know
    }
    apply(change);
    save();
  }
  return true;
}

// Returns the status with which to answer a request.
let before = Promise.resolve(); // one delivery after the other
async function answerTo(request) {
  if (request.method !== "POST") return request.method === "HEAD" ? 200 : 405; // the gateway looks whether we are here
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts), headers = request.headers;
  if (secret && !isSigned(headers, body)) {
    console.log("a bad signature from", request.socket.remoteAddress);
    return 401;
  }
  try {
    const change = JSON.parse(body), [epoch] = headers["webhook-id"].split(".");
    const inSnapshot = headers["ttgateway-flags"] === "snapshot", attempt = Number(headers["ttgateway-attempt"]);
    const taking = before.then(() => takeOrForget(epoch, change, inSnapshot, attempt));
    before = taking.catch(() => {});
    if (await taking) return 200;
    register();
  } catch (error) { // the disk: let the gateway send this again
    console.log("cannot keep this now:", error.message);
  }
  return 503;
}

createServer(async (request, response) => {
  const status = await answerTo(request).catch(() => 400); // it went away in the middle
  response.writeHead(status, { "Content-Length": 0 }).end();
}).listen(own.port || 80, own.hostname, register);
