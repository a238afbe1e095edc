// Durations and moments in words. All durations are in seconds.

const two = (number) => String(number).padStart(2, "0");

// On a monotonic clock: the wall clock of a display may be set while it runs.
export const now = () => performance.now() / 1000;

// 0:07, 12:34, 1:02:03
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const of = (count, unit) => `${count}\u00a0${unit}`; // which no line breaks apart

// 7 s, 12 min, 2 h 5 min, 3 days
export function words(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return of(whole, "s");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return of(minutes, "min");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${of(hours, "h")} ${of(minutes % 60, "min")}` : of(hours, "h");
  return of(Math.floor(hours / 24), "days");
}

export const many = (count, one, more = `${one}s`) => of(count, count === 1 ? one : more);

// The gateway's own clock, in its own zone: it shows times without either. What it shows is read as if it were UTC.
export class GatewayClock {
  #format = null;
  #ahead = null; // of `now`, in seconds

  set zone(name) {
    const how = { dateStyle: "short", timeStyle: "medium", hourCycle: "h23" };
    try {
      this.#format = new Intl.DateTimeFormat("sv-SE", { ...how, timeZone: name }); // writes 2016-09-22 19:08:52
    } catch {
      this.#format = null; // a zone that this browser lacks
    }
  }

  // Takes note of the time in a reply's `Date` header.
  heard(header) {
    const at = Date.parse(header ?? "");
    if (!Number.isNaN(at)) this.#ahead = at / 1000 - now();
  }

  // For how many seconds it has been `shown`; null where that cannot be told.
  since(shown) {
    if (!shown || !this.#format || this.#ahead === null) return null;
    const here = this.#format.format(new Date((this.#ahead + now()) * 1000)).replace(" ", "T");
    return Math.max(0, (Date.parse(`${here}Z`) - Date.parse(`${shown}Z`)) / 1000);
  }
}

// 19:08, of a time that the gateway shows
export const hour = (shown) => shown.slice(11, 16);
