/** Numbers and times as people read them; times in the viewer's zone. */

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const moments = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const instants = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clocks = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

export function count(value: number): string {
  return whole.format(value);
}

/** Return a number of bytes in units of a thousand. */
export function bytes(value: number): string {
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${short.format(rest)} ${UNITS[unit]}`;
}

/** Return a span of seconds, to two units at most. */
export function duration(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  if (all < 60) return `${all} s`;
  const minutes = Math.floor(all / 60);
  if (minutes < 60)
    return all % 60 && minutes < 10 ? `${minutes} min ${all % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** Return a span of seconds that may be far less than one. */
export function latency(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

/** Return an RFC 3339 time, to the minute. */
export function moment(time: string): string {
  return moments.format(new Date(time));
}

/** Return an RFC 3339 time, to the second. */
export function instant(time: string): string {
  return instants.format(new Date(time));
}

/** Return the time of day of a moment in milliseconds since 1970, to the second. */
export function clock(moment: number): string {
  return clocks.format(moment);
}

/** Return a share of a whole in percent; never 100 before it is whole. */
export function percent(part: number, of: number): number {
  if (of <= 0) return 0;
  return part >= of ? 100 : Math.floor((100 * part) / of);
}
