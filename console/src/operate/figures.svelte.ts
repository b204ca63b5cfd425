/** What operators look at, read again every ten seconds while somebody can see it. */

import type { JobPage, OperationsHistory, OperationsOverview, StuckPage } from "@laydown/upload";
import { api } from "../api/http";
import { Reading } from "../api/reading.svelte";

const EVERY = 10_000; // milliseconds
const RECENT = 300; // seconds over which the present rate is taken
export const SHOWN = 100; // rows of a list

export const SPANS = [1, 6, 24, 168] as const; // hours
export type Span = (typeof SPANS)[number];

/** Return the span that a text names; a day for any other. */
export function spanOf(text: string | null): Span {
  return SPANS.find((hours) => String(hours) === text) ?? 24;
}

export class Figures {
  readonly recent = new Reading<OperationsOverview>();
  readonly today = new Reading<OperationsOverview>();
  readonly overview = new Reading<OperationsOverview>();
  readonly history = new Reading<OperationsHistory>();
  readonly stuck = new Reading<StuckPage>();
  readonly dead = new Reading<JobPage>();
  #span: Span = 24;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Look back over so many hours, and read everything now and again until `stop`. */
  start(span: Span): void {
    this.#span = span;
    document.addEventListener("visibilitychange", this.#seen);
    this.#timer = setInterval(this.#seen, EVERY);
    void this.refresh();
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.#seen);
    clearInterval(this.#timer);
  }

  /** Look back over so many hours from now on. */
  show(span: Span): void {
    if (span === this.#span) return;
    this.#span = span;
    void this.#readSpan();
  }

  async refresh(): Promise<void> {
    await Promise.all([
      this.#readSpan(),
      this.recent.read(() => overview(RECENT)),
      this.today.read(() => overview(sinceMidnight())),
      this.stuck.read(() => api.get<StuckPage>(`/v1/operations/stuck?limit=${SHOWN}`)),
      this.dead.read(() => api.get<JobPage>(`/v1/operations/jobs?state=dead&limit=${SHOWN}`)),
    ]);
  }

  async #readSpan(): Promise<void> {
    const hours = this.#span;
    await Promise.all([
      this.overview.read(() => overview(hours * 3_600)),
      this.history.read(() => api.get<OperationsHistory>(`/v1/operations/history?hours=${hours}`)),
    ]);
  }

  #seen = (): void => {
    if (document.visibilityState === "visible") void this.refresh();
  };
}

function overview(seconds: number): Promise<OperationsOverview> {
  return api.get<OperationsOverview>(`/v1/operations/overview?window=${seconds}`);
}

/** Return the seconds since midnight in the viewer's zone; a minute at least. */
function sinceMidnight(): number {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  return Math.max(60, Math.floor((Date.now() - midnight.getTime()) / 1_000));
}
