/** What is shown of a batch: it takes in what the server tells, and never goes backwards. */

import type { Batch, Change, Upload, UploadPage } from "@laydown/upload";
import type { UploadState } from "../parts/states";

export type Row = {
  readonly id: string;
  readonly path: string;
  readonly size: number; // bytes
  readonly state: UploadState;
  readonly reason: string | null;
  readonly movedAt: string;
  readonly number: number; // the last change it includes
};

/**
 * The numbers of a batch and its files, put together from three sources that race each other.
 *
 * Changes come in order, each with its number; totals and pages of the list say which change they
 * include last. Whatever is older than what is here already is dropped, file by file. Between two
 * changes only the bytes grow, so of two totals with the same number the one with more is newer.
 */
export class Shown {
  batch: Batch | null = null;
  readonly rows: Row[] = []; // in order of declaration; a row changes by replacement
  /** The last change taken in: where a broken stream goes on. */
  number: number | null = null;
  /** Whether the server may have files that are not in `rows`, or are in it as they were. */
  isBehind = true;
  readonly #places = new Map<string, number>(); // by id
  readonly #early = new Map<string, Change>(); // of files that no page has brought yet, the last

  row(id: string): Row | null {
    const place = this.#places.get(id);
    return place === undefined ? null : (this.rows[place] ?? null);
  }

  /** Take a stream's beginning: everything up to its number is in it and in later pages. */
  takeSnapshot(batch: Batch, number: number): void {
    this.number = Math.max(this.number ?? 0, number);
    this.takeTotals({ number, ...batch });
  }

  /** Take new totals, unless they are older than those shown. */
  takeTotals(batch: Batch): void {
    if (this.batch !== null && isOlder(batch, this.batch)) return;
    this.batch = batch;
    if (batch.declared.count > this.rows.length) this.isBehind = true;
  }

  /** Take what happened to one file, or to the batch; what was seen before is nothing new. */
  takeChange(change: Change): void {
    if (this.number !== null && change.number <= this.number) return;
    this.number = change.number;
    if (change.kind === "declared" || change.kind === "restarted") this.isBehind = true;
    if (!change.upload_id) return;
    const place = this.#places.get(change.upload_id);
    const row = place === undefined ? undefined : this.rows[place];
    if (place === undefined || row === undefined) this.#early.set(change.upload_id, change);
    else this.rows[place] = moved(row, change);
  }

  /** Take a page of the list; one of an older server is as new as the changes were by *asked*. */
  takePage(page: UploadPage, asked: number): void {
    const number = page.number ?? asked;
    for (const upload of page.items) {
      const place = this.#places.get(upload.id) ?? this.rows.length;
      const known = this.rows[place];
      if (known !== undefined && known.number > number) continue;
      const change = this.#early.get(upload.id);
      const row = rowOf(upload, number);
      this.rows[place] = change === undefined ? row : moved(row, change);
      this.#places.set(upload.id, place);
      this.#early.delete(upload.id);
    }
  }
}

function isOlder(batch: Batch, shown: Batch): boolean {
  const [number, last] = [batch.number ?? shown.number ?? 0, shown.number ?? 0];
  return number < last || (number === last && batch.received_bytes < shown.received_bytes);
}

function rowOf(upload: Upload, number: number): Row {
  return {
    id: upload.id,
    path: upload.path,
    size: upload.size,
    state: upload.state,
    reason: upload.reason ?? null,
    movedAt: upload.moved_at,
    number,
  };
}

function moved(row: Row, change: Change): Row {
  if (change.number <= row.number) return row;
  if (!change.state) return { ...row, number: change.number };
  return {
    ...row,
    path: change.path ?? row.path,
    state: change.state,
    reason: change.reason ?? null,
    movedAt: change.at,
    number: change.number,
  };
}
