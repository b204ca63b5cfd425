/** Where the values of a chart go: its axes, and its lines with their gaps. */

export type Series = { name: string; tone: "main" | "second"; values: readonly number[] };

export type Tick = { at: number; label: string }; // at: in the units of the axis

const TICK_SPANS = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 4320, 10_080]; // minutes

/** Return a round number that is no less than the largest value, and in how many parts to cut it. */
export function ceiling(most: number): { top: number; parts: number } {
  if (most <= 0) return { top: 1, parts: 1 };
  const unit = 10 ** Math.floor(Math.log10(most));
  for (const [factor, parts] of [
    [1, 2],
    [2, 2],
    [3, 3],
    [4, 2],
    [5, 5],
    [6, 3],
    [8, 4],
    [10, 2],
  ] as const) {
    if (most <= factor * unit) return { top: factor * unit, parts };
  }
  return { top: 10 * unit, parts: 2 };
}

/** Return moments (milliseconds) between two others that are round in the viewer's zone. */
export function moments(from: number, until: number, most: number): number[] {
  const minutes = (until - from) / 60_000;
  const span = TICK_SPANS.find((each) => minutes / each <= most) ?? 10_080;
  const day = new Date(from);
  day.setHours(0, 0, 0, 0);
  const found: number[] = [];
  // By the calendar, not by milliseconds: a day may have 23 hours.
  for (let minute = 0; ; minute += span) {
    const moment = new Date(day);
    moment.setMinutes(minute);
    if (moment.getTime() > until) return found;
    if (moment.getTime() >= from) found.push(moment.getTime());
  }
}

/** Return the runs of points that follow each other without a gap, as indexes. */
export function runs(times: readonly number[], step: number): number[][] {
  const found: number[][] = [];
  for (const [index, time] of times.entries()) {
    const before = times[index - 1];
    const run = found.at(-1);
    if (run !== undefined && before !== undefined && time - before <= 1.5 * step) run.push(index);
    else found.push([index]);
  }
  return found;
}

/** Return the SVG path of a run; one point alone is a stroke as short as the pen is wide. */
export function path(points: readonly { x: number; y: number }[]): string {
  const [first] = points;
  if (first === undefined) return "";
  if (points.length === 1) return `M${round(first.x)} ${round(first.y)}h0.01`;
  return points.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${round(x)} ${round(y)}`).join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
