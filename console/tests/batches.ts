import type { Batch } from "@laydown/upload";

export const AT = "2026-11-23T09:00:00Z";

/** Return a batch as of change *number*: open and empty, but for what is given. */
export function batchOf(number: number, given: Partial<Batch> = {}): Batch {
  return {
    id: "b",
    project_id: "p",
    reference: "r",
    label: null,
    on_conflict: "new_version",
    state: "open",
    created_at: AT,
    closed_at: null,
    declared: { count: 0, bytes: 0 },
    counts: {},
    reasons: {},
    settled: { count: 0, bytes: 0 },
    received_bytes: 0,
    number,
    ...given,
  };
}
