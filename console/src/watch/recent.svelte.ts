/** The deliveries of a project, newest first; those that still move are looked at again. */

import type { Batch } from "@laydown/upload";
import { api, ApiError } from "../api/http";
import type { Page } from "../api/reading.svelte";
import type { Connection } from "./live.svelte";
import { rest } from "./pace";

const PAGE = 20; // deliveries a page; the server counts the files of each
const EVERY = 4_000; // milliseconds between looks at what moves
const NEWS = 4; // looks between which new deliveries are asked for once
const MOST = 10; // deliveries looked at again at a time

export class RecentBatches {
  items = $state.raw<Batch[]>([]);
  connection = $state.raw<Connection>({ kind: "connecting" });
  error = $state.raw<ApiError | null>(null);
  isThere = $state(false);
  cursor = $state<string | null>(null);
  #heard = Date.now();
  readonly #stop = new AbortController();

  constructor(readonly project: string) {}

  start(): void {
    void this.#follow(this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Read the next page. */
  async more(): Promise<void> {
    if (this.cursor === null) return;
    await this.#trying(async () => {
      const page = await this.#page(this.cursor);
      // What is here was read again meanwhile, perhaps: it stays as it is.
      const known = new Set(this.items.map((batch) => batch.id));
      this.items = [...this.items, ...page.items.filter((batch) => !known.has(batch.id))];
      this.cursor = page.next_cursor ?? null;
    });
  }

  async #follow(stop: AbortSignal): Promise<void> {
    for (let look = 0; !stop.aborted; look += 1) {
      if (!document.hidden || look === 0)
        await this.#trying(() => this.#look(look % NEWS === 0 || !this.isThere));
      if (this.error !== null) return;
      await rest(EVERY, stop, "online");
    }
  }

  async #look(isForNews: boolean): Promise<void> {
    const moving = this.items.filter((batch) => batch.state !== "settled").slice(0, MOST);
    const now = isForNews
      ? await this.#page(null)
      : { items: await Promise.all(moving.map((batch) => this.#one(batch.id))) };
    const read = new Map(now.items.map((batch) => [batch.id, batch]));
    const known = this.items.map((batch) => read.get(batch.id) ?? batch);
    const ids = new Set(known.map((batch) => batch.id));
    if (!this.isThere) this.cursor = now.next_cursor ?? null;
    this.items = [...now.items.filter((batch) => !ids.has(batch.id)), ...known];
    this.isThere = true;
  }

  #page(cursor: string | null): Promise<Page<Batch>> {
    const query = new URLSearchParams({ project: this.project, limit: String(PAGE) });
    if (cursor !== null) query.set("cursor", cursor);
    return api.get<Page<Batch>>(`/v1/batches?${query}`, { signal: this.#stop.signal });
  }

  #one(id: string): Promise<Batch> {
    return api.get<Batch>(`/v1/batches/${id}`, { signal: this.#stop.signal });
  }

  async #trying(read: () => Promise<void>): Promise<void> {
    try {
      await read();
      this.#heard = Date.now();
      this.connection = { kind: "live" };
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      if (error.status >= 400 && error.status < 429) this.error = error;
      else if (this.connection.kind !== "broken")
        this.connection = { kind: "broken", since: this.#heard };
    }
  }
}
