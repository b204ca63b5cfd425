/** Reading what was dropped or picked, before anything is done with it. */

import { MOST_FILES, type Found, type Unreadable } from "@laydown/upload";

export type Gathered = {
  found: Found[];
  unreadable: Unreadable[];
  isTooMany: boolean; // reading stopped at `MOST_FILES`
};

/** Return all files of a source; tell how many there are so far, group by group. */
export async function gather(
  source: AsyncGenerator<Found[], Unreadable[]>,
  tell: (files: number) => boolean, // answers whether to go on
): Promise<Gathered> {
  const found: Found[] = [];
  for (;;) {
    const step = await source.next();
    if (step.done) return { found, unreadable: step.value, isTooMany: false };
    for (const file of step.value) found.push(file);
    if (found.length > MOST_FILES || !tell(found.length)) break;
  }
  await source.return([]);
  return { found, unreadable: [], isTooMany: found.length > MOST_FILES };
}

/** Return the names of the folders and files that lie at the top, sorted. */
export function topsOf(found: readonly Found[]): string[] {
  const tops = new Set<string>();
  for (const { path } of found) {
    const slash = path.indexOf("/");
    tops.add(slash < 0 ? path : path.slice(0, slash));
  }
  return [...tops].sort();
}
