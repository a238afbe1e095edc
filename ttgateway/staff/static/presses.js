// Presses that nobody meant: a key that is held, a double click, and a click on what has just moved under the finger.

const SETTLES = 500; // ms after a move
const PAUSE = 600; // ms between two presses that are two

let movedAt = -SETTLES;

// Takes note that what can be pressed moves just now.
export function moves() {
  movedAt = performance.now();
}

// Whether a click hits what it was meant for; one by the keyboard (`detail` is 0) goes where the focus is.
export const aimed = (event) => event.detail === 0 || performance.now() - movedAt >= SETTLES;

// Lets a button be pressed again, but not by the second half of a double click.
export function release(button) {
  setTimeout(() => button.removeAttribute("aria-disabled"), PAUSE);
}

// Counts presses of one thing: each call tells whether it is apart from the one before.
export function paces() {
  let last = -PAUSE;
  return () => {
    const before = last;
    last = performance.now();
    return last - before >= PAUSE;
  };
}

// A key that is held presses once, wherever the focus goes meanwhile. Blanks may be typed, and scroll the page.
document.addEventListener("keydown", (event) => {
  const presses = event.key === "Enter" || (event.key === " " && event.target.matches("button, summary"));
  if (event.repeat && presses) event.preventDefault();
});
