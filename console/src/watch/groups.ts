/** The states of a file in groups that people tell apart, and a batch's numbers by them. */

import type { Batch } from "@laydown/upload";
import { toneOf, type Tone, type UploadState } from "../parts/states";
import { words } from "../words/en";

export type GroupName = keyof typeof words.batch.groups;

export type Group = { readonly name: GroupName; readonly states: readonly UploadState[] };

/** All groups: what has ended first, so that the bar fills from its beginning. */
export const GROUPS: readonly Group[] = [
  { name: "ready", states: ["ready"] },
  { name: "duplicate", states: ["duplicate"] },
  { name: "skipped", states: ["skipped"] },
  { name: "cancelled", states: ["cancelled"] },
  { name: "rejected", states: ["rejected"] },
  { name: "expired", states: ["expired"] },
  { name: "failed", states: ["failed"] },
  { name: "moving", states: ["processing", "checking", "sealing", "receiving"] },
  { name: "waiting", states: ["declared"] },
];

/** The rejections that trying again may mend, as the server has them (`RETRYABLE`). */
const DAMAGED = ["checksum_mismatch", "size_mismatch", "quota_exceeded"];

export type Share = { readonly group: Group; readonly files: number };

export function toneOfGroup(group: Group): Tone {
  const [first] = group.states;
  return first === undefined ? "waiting" : toneOf(first);
}

/** Return how many files of a batch are in each group. */
export function shares(batch: Batch): Share[] {
  return GROUPS.map((group) => ({ group, files: filesIn(batch, group.states) }));
}

export function filesIn(batch: Batch, states: readonly UploadState[]): number {
  return states.reduce((sum, state) => sum + (batch.counts[state] ?? 0), 0);
}

/** Return a list of numbers in words: "280 ready, 20 already here". */
export function inWords(of: readonly Share[]): string {
  return of
    .filter((share) => share.files > 0)
    .map((share) => words.batch.part(share.files, words.batch.groups[share.group.name]))
    .join(", ");
}

/** Return what became of a batch that is settled, in a sentence. */
export function outcome(batch: Batch): string {
  const declared = batch.declared.count;
  if (declared === 0) return words.batch.noneAtAll;
  const all = shares(batch);
  const done = all.filter((share) => DONE.has(share.group.name));
  const others = all.filter((share) => !DONE.has(share.group.name) && share.files > 0);
  const out = others.reduce((sum, share) => sum + share.files, 0);
  if (out === 0) return words.batch.allIn(declared, inWords(all));
  const rest = out === declared ? "" : words.batch.theRest(inWords(done));
  return words.batch.notAllIn(out, declared, inWords(others)) + rest;
}

const DONE: ReadonlySet<GroupName> = new Set<GroupName>(["ready", "duplicate", "skipped"]);

/** Return how many files could be tried again. */
export function retryable(batch: Batch): number {
  const damaged = DAMAGED.reduce((sum, reason) => sum + (batch.reasons[reason] ?? 0), 0);
  return filesIn(batch, ["failed", "expired"]) + damaged;
}

/** Return how many files still wait for bytes. */
export function missing(batch: Batch): number {
  return filesIn(batch, ["declared", "receiving"]);
}

/** Return how many files somebody must see to. */
export function troubled(batch: Batch): number {
  return filesIn(batch, ["rejected", "expired", "failed"]);
}
