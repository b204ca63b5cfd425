/** One batch, live: followed over an event stream for as long as somebody looks. */

import { follow, pause, type Batch, type BatchEvent, type UploadPage } from "@laydown/upload";
import { api, ApiError } from "../api/http";
import { Breather, Framed, rest, sighted, whileSighted } from "./pace";
import { Shown, type Row } from "./shown";

/** How fresh the numbers are. */
export type Connection =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "broken"; since: number } // milliseconds since 1970; the server's last sign of life
  | { kind: "over" }; // nothing more happens, but for a retry

const PAGE = 1_000; // files a page of the list; the server gives no more
const LIST_EVERY = 1_000; // milliseconds between looks for files that were declared meanwhile
const OVER_EVERY = 30_000; // milliseconds between looks whether somebody retried what was over
const WAKE = "laydown:look";

export class LiveBatch {
  batch = $state.raw<Batch | null>(null);
  connection = $state.raw<Connection>({ kind: "connecting" });
  /** Why nothing is shown any more: there is no such batch, or the viewer may not see it. */
  error = $state.raw<ApiError | null>(null);
  /** Counts up whenever `rows` have changed. */
  version = $state(0);
  /** When bytes were last seen to arrive, in milliseconds since 1970. */
  arrivedAt = $state<number | null>(null);
  /** Whether all files are in `rows`. */
  isWhole = $state(false);

  #shown = new Shown();
  #heard = Date.now();
  readonly #stop = new AbortController();
  readonly #framed = new Framed(() => this.#show());

  constructor(readonly id: string) {}

  /** All files known, in order of declaration; read `version` to be told when they change. */
  get rows(): readonly Row[] {
    return this.#shown.rows;
  }

  row(id: string): Row | null {
    return this.#shown.row(id);
  }

  /** Follow the batch until `stop`. */
  start(): void {
    void this.#lasting(() => this.#follow(this.#stop.signal));
    void this.#lasting(() => this.#list(this.#stop.signal));
  }

  stop(): void {
    this.#stop.abort();
    this.#framed.stop();
  }

  /** Look at once whether anything happens again, after the viewer has changed something. */
  wake(): void {
    dispatchEvent(new Event(WAKE));
  }

  /** Do what lasts until the page is left, or until the server refuses it for good. */
  async #lasting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.stop();
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sighted(signal);
      let isOver = false;
      await whileSighted(signal, async (seen) => {
        await this.#stream(seen);
        isOver = true;
      });
      if (!isOver) {
        this.connection = { kind: "connecting" };
        continue;
      }
      this.#show(); // before the next frame: nothing is called final but the last numbers
      this.connection = { kind: "over" };
      await rest(OVER_EVERY, signal, WAKE, "focus");
    }
  }

  /** Follow the batch to its end. */
  async #stream(signal: AbortSignal): Promise<void> {
    const onLive = (isLive: boolean): void => this.#hear(isLive);
    const breather = new Breather();
    const after = this.#shown.number;
    const from = after === null ? {} : { after };
    for await (const event of follow(api, this.id, { signal, onLive, ...from })) {
      this.#take(event);
      this.#framed.ask();
      if (breather.isDue) await breather.breathe();
    }
  }

  /** Note a sign of life, or that there is none; of what is over, neither says anything. */
  #hear(isLive: boolean): void {
    if (isLive) this.#heard = Date.now();
    if (this.connection.kind === "over") return;
    if (isLive && this.connection.kind !== "live") this.connection = { kind: "live" };
    if (!isLive && this.connection.kind !== "broken")
      this.connection = { kind: "broken", since: this.#heard };
  }

  #take(event: BatchEvent): void {
    if (event.kind === "change") {
      this.#shown.takeChange(event.change);
      if (this.connection.kind === "over") this.connection = { kind: "live" };
    } else if (event.kind === "snapshot") this.#begin(event.batch, event.number);
    else this.#shown.takeTotals(event.batch);
  }

  /** Take a snapshot; one that knows less than we saw says that our number is none of theirs. */
  #begin(batch: Batch, number: number): void {
    if (number < (this.#shown.number ?? 0)) {
      this.#shown = new Shown(); // the server was put back to an earlier state, and so are we
      this.isWhole = false;
    }
    this.#shown.takeSnapshot(batch, number);
  }

  /** Read the list page by page, and on from its end whenever there is more. */
  async #list(signal: AbortSignal): Promise<void> {
    let [cursor, failures, of] = ["", 0, this.#shown];
    while (!signal.aborted) {
      const shown = this.#shown;
      if (shown !== of) [cursor, of] = ["", shown];
      if (shown.number === null || !shown.isBehind) {
        await rest(LIST_EVERY, signal);
        continue;
      }
      try {
        const next = await this.#page(shown, cursor, signal);
        failures = 0;
        if (next !== null) cursor = next;
        else await rest(LIST_EVERY, signal);
      } catch (error) {
        if (!(error instanceof ApiError) || !isPassing(error)) throw error;
        await rest(Math.max((error.retryAfter ?? 0) * 1_000, pause(failures++)), signal);
      }
    }
  }

  /** Read one page; return where the next one begins, or null when this was the last. */
  async #page(shown: Shown, cursor: string, signal: AbortSignal): Promise<string | null> {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (cursor !== "") query.set("cursor", cursor);
    const asked = shown.number ?? 0;
    shown.isBehind = false; // what is declared while we read makes it true again
    try {
      const path = `/v1/batches/${this.id}/uploads?${query}`;
      const page = await api.get<UploadPage>(path, { signal });
      shown.takePage(page, asked);
      if (page.next_cursor) shown.isBehind = true;
      return page.next_cursor ?? null;
    } catch (error) {
      shown.isBehind = true;
      throw error;
    } finally {
      this.#framed.ask();
    }
  }

  #show(): void {
    const batch = this.#shown.batch;
    if (this.batch !== null && batch !== null && batch.received_bytes > this.batch.received_bytes)
      this.arrivedAt = this.#heard;
    this.batch = batch;
    this.isWhole = this.#shown.rows.length >= (batch?.declared.count ?? Infinity);
    this.version += 1;
  }
}

function isPassing(error: ApiError): boolean {
  return error.status === 0 || error.status === 429 || error.status >= 500;
}
