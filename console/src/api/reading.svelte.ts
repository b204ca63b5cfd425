/** What a page read from the server: not yet, the value, or why not. */

import { ApiError } from "./http";

export class Reading<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  #turn = 0;
  #last: (() => Promise<T>) | null = null;

  /** Read anew; of several readings under way only the last one counts. */
  async read(source: () => Promise<T>): Promise<void> {
    this.#last = source;
    const turn = ++this.#turn;
    try {
      const value = await source();
      if (turn !== this.#turn) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (turn !== this.#turn) return;
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    }
  }

  /** Read once more what was read last. */
  async again(): Promise<void> {
    if (this.#last !== null) await this.read(this.#last);
  }
}

export type Page<T> = { items: T[]; next_cursor?: string | null };

/** Return all items of a list that comes in pages, up to `most`. */
export async function everything<T>(
  get: (query: string) => Promise<Page<T>>,
  most = 10_000,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null | undefined = null;
  do {
    const query = new URLSearchParams({ limit: "1000" });
    if (cursor) query.set("cursor", cursor);
    const page: Page<T> = await get(query.toString());
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return items;
}
