import { describe, expect, test } from "vitest";
import { spanOf } from "../src/operate/figures.svelte";
import { ceiling, moments, path, runs } from "../src/operate/scale";

const MINUTE = 60_000; // milliseconds
const HOUR = 60 * MINUTE;

describe("the axis of values", () => {
  test.each([0.0004, 0.3, 1, 7, 9.5, 42, 99, 100, 101, 65_536, 3e12])(
    "ends with a round number that is no less than %d, and at most twice as much or so",
    (most) => {
      const { top, parts } = ceiling(most);
      expect(top).toBeGreaterThanOrEqual(most);
      expect(top).toBeLessThanOrEqual(2.01 * most);
      expect(parts).toBeGreaterThan(0);
    },
  );

  test("has a height although there is nothing to show", () => {
    expect(ceiling(0).top).toBeGreaterThan(0);
  });
});

describe("the axis of time", () => {
  test.each([
    [1, 6],
    [24, 5],
    [168, 3],
  ])("over %d hours has some marks, %d or fewer, between its ends and in order", (hours, most) => {
    const from = Date.UTC(2026, 10, 20, 3, 17);
    const until = from + hours * HOUR;
    const found = moments(from, until, most);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThanOrEqual(most + 1);
    expect(found).toEqual([...found].sort((one, other) => one - other));
    for (const moment of found) {
      expect(moment).toBeGreaterThanOrEqual(from);
      expect(moment).toBeLessThanOrEqual(until);
      expect(new Date(moment).getSeconds()).toBe(0);
    }
  });
});

describe("a line", () => {
  test("breaks where a step is missing", () => {
    const times = [0, 1, 2, 5, 6, 9].map((minute) => minute * MINUTE);
    expect(runs(times, MINUTE)).toEqual([[0, 1, 2], [3, 4], [5]]);
    expect(runs([], MINUTE)).toEqual([]);
  });

  test("is drawn from point to point, and one point alone is a dot", () => {
    expect(
      path([
        { x: 0, y: 1.26 },
        { x: 10, y: 2 },
      ]),
    ).toBe("M0 1.3L10 2");
    expect(path([{ x: 3, y: 4 }])).toBe("M3 4h0.01");
    expect(path([])).toBe("");
  });
});

test("a span that isn't offered is a day", () => {
  expect([spanOf("6"), spanOf("7"), spanOf(null), spanOf("168")]).toEqual([6, 24, 24, 168]);
});
