// Why a listener cannot be told, in words for people: what is wrong, and what to do.

const WORDS = {
  refused: ["It refuses connections.", "Start its program, or check the port in its address."],
  timeout: ["It does not answer in time.", "Check that the device is on, and its cable or Wi-Fi."],
  dns: ["Its name is not known on this network.", "Check the name server, or register it by its address."],
  tls: ["Its certificate is not accepted.", "Renew it, or name its authority in callbacks.ca_file."],
  protocol: ["What answers there does not speak HTTP.", "Another program may use that port: check the address."],
  forbidden: ["The gateway is not allowed to call this address.", "ttgateway check names the command that allows it."],
};

const STATUS = {
  401: ["It asks for a login (401).", "Let it take the gateway's calls without one."],
  403: ["It forbids the gateway's calls (403).", "Let it take calls from the gateway's address."],
  404: ["It knows no such page (404).", "Check the path in its address."],
  405: ["It takes no POST at this address (405).", "Check the path in its address."],
  408: ["It gave up waiting (408).", "Check the network between it and the gateway."],
  429: ["It asks for fewer calls (429).", "Nothing, if it comes back: the gateway slows down."],
  500: ["Its program fails at a change (500).", "Look into its own log."],
  503: ["It is overloaded or starting (503).", "Nothing, if it comes back soon; else look into its own log."],
};

// `cause` is `lastFailureCause` of the API: a word, or the HTTP status. Returns what is wrong and what to do.
export function explained(cause) {
  if (cause && Object.hasOwn(WORDS, cause)) return WORDS[cause];
  if (cause && Object.hasOwn(STATUS, cause)) return STATUS[cause];
  const status = Number(cause);
  if (status >= 300 && status < 400) return [`It points elsewhere (${cause}).`, "Register that address."];
  if (status >= 400 && status < 500) return [`It does not take the changes (${cause}).`, "Look into its own log."];
  if (status >= 500) return [`It fails, or what stands before it does (${cause}).`, "Look into its own log."];
  return [cause ? `It cannot be told: ${cause}.` : "It cannot be told.", "Look into the gateway's log."];
}

const PARTS = {
  "store damaged": "The store was damaged and has lost something: ttgateway damage tells what.",
  "store mending": "The disk could not be written; the gateway tries again each second. Orders are refused meanwhile.",
  "notifier stopped": "The gateway is stopping: no listener is told anything.",
  "disk low": "The disk is nearly full: no new orders are taken. Free some room.",
  "disk full": "The disk is full: orders may be refused. Free some room.",
  "clock behind": "The gateway's clock is behind, or was ahead: times shown here are wrong.",
  "clock unset": "The gateway's clock is not set: times shown here are wrong.",
};

// What is wrong with the gateway itself, a sentence each; `check` has one word a part.
export function ailments(check) {
  return Object.entries(check)
    .map(([part, word]) => PARTS[`${part} ${word}`])
    .filter((sentence) => sentence !== undefined);
}
