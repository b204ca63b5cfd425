import { expect, test } from "vitest";
import type { Row } from "../src/watch/shown";
import { EVERYTHING, first, passing, pieces } from "../src/watch/sieve";

const rows: Row[] = (
  [
    ["Pläne/A-101.pdf", "ready", null],
    ["Pläne/a-102.PDF", "rejected", "type_mismatch"],
    ["Notes/a.txt", "rejected", "empty_file"],
    ["Notes/b.txt", "declared", null],
  ] as const
).map(([path, state, reason], place) => ({
  id: `f${place}`,
  path,
  size: 1,
  state,
  reason,
  movedAt: "2026-11-23T09:00:00Z",
  number: 1,
}));

test("an open sieve lets all rows pass, in their order", () => {
  expect(passing(rows, EVERYTHING)).toBeNull();
  expect(passing(rows, { ...EVERYTHING, text: "  " })).toBeNull();
});

test("text is found anywhere in the path, in either case", () => {
  expect(passing(rows, { ...EVERYTHING, text: "A-10" })).toEqual([0, 1]);
  expect(passing(rows, { ...EVERYTHING, text: "pläne/" })).toEqual([0, 1]);
});

test("states, reason and text must hold together", () => {
  expect(passing(rows, { ...EVERYTHING, states: ["rejected", "declared"] })).toEqual([1, 2, 3]);
  expect(passing(rows, { states: ["rejected"], reason: "empty_file", text: "a" })).toEqual([2]);
  expect(passing(rows, { states: ["ready"], reason: "empty_file", text: "" })).toEqual([]);
});

test("a problem names its first files", () => {
  expect(first(rows, "empty_file", 3).map((row) => row.path)).toEqual(["Notes/a.txt"]);
  expect(first(rows, "empty_file", 0)).toEqual([]);
});

test("a path is its folder and its name", () => {
  expect(pieces("Pläne/EG/A-101.pdf")).toEqual(["Pläne/EG/", "A-101.pdf"]);
  expect(pieces("A-101.pdf")).toEqual(["", "A-101.pdf"]);
});
