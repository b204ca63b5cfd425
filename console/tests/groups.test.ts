import { expect, test } from "vitest";
import { STATES } from "../src/parts/states";
import {
  GROUPS,
  inWords,
  missing,
  outcome,
  retryable,
  shares,
  troubled,
} from "../src/watch/groups";
import { batchOf } from "./batches";

function settled(counts: Record<string, number>, reasons: Record<string, number> = {}) {
  const declared = Object.values(counts).reduce((sum, files) => sum + files, 0);
  return batchOf(1, {
    state: "settled",
    counts,
    reasons,
    declared: { count: declared, bytes: 10 * declared },
  });
}

test("every state belongs to exactly one group", () => {
  expect(GROUPS.flatMap((group) => group.states).toSorted()).toEqual(STATES.toSorted());
});

test("the shares of a batch add up to what was declared", () => {
  const batch = settled({ ready: 5, declared: 2, checking: 1, sealing: 1, rejected: 3 });
  const files = shares(batch).reduce((sum, share) => sum + share.files, 0);
  expect(files).toBe(batch.declared.count);
  expect(inWords(shares(batch))).toBe("5 ready, 3 refused, 2 under way, 2 waiting");
});

test("what became of a batch is one sentence", () => {
  expect(outcome(settled({ ready: 280, duplicate: 20, skipped: 12 }))).toBe(
    "All 312 files are done: 280 ready, 20 already here, 12 skipped.",
  );
  expect(outcome(settled({ ready: 9, rejected: 3 }))).toBe(
    "3 of 12 files are not in: 3 refused. The others: 9 ready.",
  );
  expect(outcome(settled({ ready: 1 }))).toBe("The file is done: 1 ready.");
  expect(outcome(settled({}))).toBe("This delivery ended without files.");
});

test("failed, expired and damaged files can be tried again; refused ones can't", () => {
  const reasons = { expired: 2, checksum_mismatch: 1, type_mismatch: 4, processing_gave_up: 1 };
  const batch = settled({ expired: 2, failed: 1, rejected: 5 }, reasons);
  expect(retryable(batch)).toBe(4);
  expect(troubled(batch)).toBe(8);
});

test("files are missing until all their bytes are here", () => {
  expect(missing(settled({ declared: 2, receiving: 1, sealing: 4, ready: 1 }))).toBe(3);
});
