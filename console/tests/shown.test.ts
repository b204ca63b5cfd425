import type { Batch, Change, Upload, UploadPage } from "@laydown/upload";
import { expect, test } from "vitest";
import type { UploadState } from "../src/parts/states";
import { Shown, type Row } from "../src/watch/shown";
import { AT, batchOf } from "./batches";
import { chance } from "./chance";

const WAY: UploadState[] = ["declared", "receiving", "checking", "ready"];

function snapshotOf(number: number, given: Partial<Batch> = {}): [Batch, number] {
  return [batchOf(number, given), number];
}

function uploadOf(id: string, state: UploadState): Upload {
  return {
    id,
    batch_id: "b",
    key: id,
    path: `${id}.pdf`,
    size: 10,
    state,
    attempt: 1,
    received_bytes: 0,
    declared_at: AT,
    moved_at: AT,
  };
}

function changeOf(number: number, id: string, state: UploadState): Change {
  return { number, kind: "moved", at: AT, upload_id: id, key: id, path: `${id}.pdf`, state };
}

/** A server: every state its uploads were in, by the number of the change that led there. */
class History {
  readonly changes: Change[] = [];
  readonly moments: Map<string, UploadState>[] = [new Map()];

  constructor(seed: number, files: number, changes: number) {
    const pick = chance(seed);
    const steps = new Map<string, number>();
    while (this.changes.length < changes) {
      const isNew = steps.size < files && pick(3) === 0;
      const id = isNew || steps.size === 0 ? `f${steps.size}` : `f${pick(steps.size)}`;
      const step = steps.has(id) ? ((steps.get(id) ?? 0) + 1) % WAY.length : 0; // a retry at the end
      steps.set(id, step);
      const state = WAY[step] ?? "declared";
      this.changes.push(changeOf(this.changes.length + 1, id, state));
      this.moments.push(new Map(this.moments.at(-1)).set(id, state));
    }
  }

  page(number: number, from: number, size: number): UploadPage {
    const all = [...(this.moments[number] ?? [])];
    const items = all.slice(from, from + size).map(([id, state]) => uploadOf(id, state));
    return { items, next_cursor: null, number };
  }
}

/** Check that no file went back, and that each is as it was at the number it is shown for. */
function check(shown: Shown, before: Map<string, Row>, history: History): void {
  for (const row of shown.rows) {
    expect(row.number).toBeGreaterThanOrEqual(before.get(row.id)?.number ?? 0);
    expect(row.state).toBe(history.moments[row.number]?.get(row.id));
    before.set(row.id, row);
  }
}

test("files never go back, whatever order pages and changes come in", () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const history = new History(seed, 12, 60);
    const pick = chance(seed + 10_000);
    const shown = new Shown();
    const begin = pick(history.changes.length);
    shown.takeSnapshot(...snapshotOf(begin));
    const before = new Map<string, Row>();
    const late: UploadPage[] = []; // read, and still on their way
    let at = begin;
    while (at < history.changes.length) {
      // The list is read at any moment from the snapshot's on, later than the stream or earlier.
      if (pick(3) === 0) {
        const moment = Math.min(history.changes.length, at + pick(8));
        late.push(history.page(moment, pick(12), 5));
      }
      if (late.length > 0 && pick(2) === 0) {
        const [page] = late.splice(pick(late.length), 1);
        if (page !== undefined) shown.takePage(page, begin);
      }
      if (pick(12) === 0) at = Math.max(begin, at - pick(5)); // a new stream repeats some
      const change = history.changes[at];
      if (change !== undefined) shown.takeChange(change);
      at += 1;
      check(shown, before, history);
    }
    for (const page of late) shown.takePage(page, begin);
    shown.takePage(history.page(history.changes.length, 0, 99), begin);
    check(shown, before, history);
    const last = history.moments.at(-1);
    expect(new Map(shown.rows.map((row) => [row.id, row.state]))).toEqual(last);
  }
});

test("totals never go back, whatever order they come in", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const pick = chance(seed);
    const told: Batch[] = [];
    let [number, received] = [1, 0];
    for (let step = 0; step < 30; step += 1) {
      if (pick(2) === 0) number += 1;
      received = pick(15) === 0 ? 0 : received + pick(100); // a new attempt begins with a change
      if (received === 0) number += 1;
      told.push(batchOf(number, { received_bytes: received }));
    }
    const shown = new Shown();
    let last: [number, number] = [0, 0];
    for (let step = 0; step < 60; step += 1) {
      const batch = told[Math.min(told.length - 1, Math.floor(step / 2) + pick(4))];
      if (batch !== undefined) shown.takeTotals(batch);
      const now: [number, number] = [shown.batch?.number ?? 0, shown.batch?.received_bytes ?? 0];
      expect(now[0] > last[0] || (now[0] === last[0] && now[1] >= last[1])).toBe(true);
      last = now;
    }
  }
});

test("a change of a file that no page has brought yet is not lost", () => {
  const shown = new Shown();
  shown.takeSnapshot(...snapshotOf(5, { declared: { count: 1, bytes: 10 } }));
  shown.takeChange(changeOf(6, "a", "checking"));
  shown.takePage({ items: [uploadOf("a", "declared")], number: 5 }, 5);
  expect(shown.row("a")?.state).toBe("checking");
});

test("a page of a server that does not number them counts as old as when it was asked for", () => {
  const shown = new Shown();
  shown.takeSnapshot(...snapshotOf(5));
  shown.takeChange(changeOf(6, "a", "checking"));
  shown.takePage({ items: [uploadOf("a", "declared")] }, 5);
  expect(shown.row("a")?.state).toBe("checking");
});

test("a snapshot older than what is shown changes nothing", () => {
  const shown = new Shown();
  shown.takeSnapshot(...snapshotOf(9, { received_bytes: 90 }));
  shown.takeSnapshot(...snapshotOf(4, { received_bytes: 40 }));
  expect([shown.number, shown.batch?.received_bytes]).toEqual([9, 90]);
});

test("the list is behind as long as more files are declared than it has", () => {
  const shown = new Shown();
  shown.isBehind = false;
  shown.takeTotals(batchOf(1, { declared: { count: 2, bytes: 20 } }));
  expect(shown.isBehind).toBe(true);
  shown.isBehind = false;
  shown.takePage({ items: [uploadOf("a", "ready"), uploadOf("b", "ready")], number: 1 }, 1);
  shown.takeTotals(batchOf(1, { declared: { count: 2, bytes: 20 } }));
  expect(shown.isBehind).toBe(false);
});

test("what a promotion says to the sender is no state to show", () => {
  const shown = new Shown();
  shown.takePage({ items: [uploadOf("a", "declared")], number: 1 }, 1);
  shown.takeChange({ ...changeOf(2, "a", "declared"), kind: "promoted", detail: "send this one" });
  expect(shown.row("a")).toMatchObject({ state: "declared", reason: null, number: 2 });
});
