/** Which files of a list are shown. */

import type { UploadState } from "../parts/states";
import type { Row } from "./shown";

export type Sieve = {
  readonly states: readonly UploadState[]; // none: all
  readonly reason: string | null;
  readonly text: string; // occurs in the path, in either case
};

export const EVERYTHING: Sieve = { states: [], reason: null, text: "" };

export function isOpen(sieve: Sieve): boolean {
  return sieve.states.length === 0 && sieve.reason === null && sieve.text.trim() === "";
}

/** Return the places of the rows that pass, or null when all do. */
export function passing(rows: readonly Row[], sieve: Sieve): number[] | null {
  if (isOpen(sieve)) return null;
  const states = new Set(sieve.states);
  const text = sieve.text.trim().toLowerCase();
  const places: number[] = [];
  for (const [place, row] of rows.entries()) {
    if (states.size > 0 && !states.has(row.state)) continue;
    if (sieve.reason !== null && row.reason !== sieve.reason) continue;
    if (text !== "" && !row.path.toLowerCase().includes(text)) continue;
    places.push(place);
  }
  return places;
}

/** Return the first rows that have a reason, *most* of them at most. */
export function first(rows: readonly Row[], reason: string, most: number): Row[] {
  const found: Row[] = [];
  for (const row of rows) {
    if (found.length === most) break;
    if (row.reason === reason) found.push(row);
  }
  return found;
}

/** Return a path's folder, with its slash, and its name. */
export function pieces(path: string): [folder: string, name: string] {
  const cut = path.lastIndexOf("/") + 1;
  return [path.slice(0, cut), path.slice(cut)];
}
