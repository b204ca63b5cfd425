/** Deliveries that began in a browser and have not arrived whole. */

import type { Batch } from "@laydown/upload";
import { missing } from "../watch/groups";

/** How the reference of a delivery from a browser begins, whoever's browser it was. */
const FROM_CONSOLE = "console-";

export type Unfinished = {
  batch: Batch;
  missing: number; // declared files whose bytes have not all come
  isFromHere: boolean; // this browser began it
};

/**
 * Return the viewer's open deliveries that lack files, those begun in this browser first.
 *
 * One that this browser began counts even when all that was declared is here: it was cut off
 * before it had declared everything.
 */
export function unfinished(
  batches: readonly Batch[],
  here: ReadonlySet<string>,
  underWay: string | null, // the batch that is being sent right now
  viewer: string, // the member who looks
): Unfinished[] {
  return batches
    .filter((batch) => batch.state === "open" && batch.id !== underWay)
    .filter((batch) => here.has(batch.id) || isTheirs(batch, viewer))
    .map((batch) => ({ batch, missing: missing(batch), isFromHere: here.has(batch.id) }))
    .filter((one) => one.missing > 0 || one.isFromHere)
    .sort((one, other) => Number(other.isFromHere) - Number(one.isFromHere));
}

function isTheirs(batch: Batch, viewer: string): boolean {
  return batch.declared_by === viewer && batch.reference.startsWith(FROM_CONSOLE);
}
