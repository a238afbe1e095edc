// Small helpers. All text goes in as text: nothing here makes HTML of a string.

import { release } from "./presses.js";

const EMPTY = 50; // ms, for a screen reader to notice

export const byId = (id) => document.getElementById(id);

// An element with attributes and children; `onclick` and its like are listeners, null and false leave one out.
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Sets a text only where it is another one: a screen reader hears what changed, and nothing is laid out anew in vain.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

// Puts `element` at `place` among the children of `parent`; what had the focus keeps it.
export function put(parent, element, place) {
  const there = parent.children[place] ?? null;
  if (there === element) return;
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(element, there);
  if (focused) focused.focus({ preventScroll: true });
}

// Tells who listens to the page alone. It is emptied first: the same text twice would be silent.
export function tell(text) {
  const said = byId("said");
  say(said, "");
  setTimeout(() => say(said, text), EMPTY);
}

// A note that goes by itself, told by a screen reader; one about trouble stays longer.
export function note(text, trouble = false) {
  const line = el("p", {}, text);
  const box = byId(trouble ? "troubles" : "notes");
  while (box.children.length > 2) box.firstChild.remove();
  box.append(line);
  setTimeout(() => line.remove(), trouble ? 12000 : 5000);
}

// Lets a button do something once at a time. It keeps the focus meanwhile, which a disabled one would lose. What it has
// done may have made another button of it (Page, Stop paging), so it rests for a moment. `what` names it in trouble.
export async function busy(button, what, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
    release(button);
  } catch (error) {
    note(`${what}: ${error.message}`, true);
    button.removeAttribute("aria-disabled");
  }
}
