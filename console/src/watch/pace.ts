/** When to do what: rests that can be cut short, and work in pieces that let the page breathe. */

import { breathe } from "@laydown/upload";

const LONGEST_WORK = 12; // milliseconds at a stretch; a frame at 60 Hz has 16
const SELDOM = 60_000; // milliseconds
// Browsers keep six connections to a server, for all their pages together: one that nobody looks at
// must not hold one for good. Who only glances at another page comes back to a stream that lives.
const UNSEEN_AFTER = 10_000; // milliseconds
const HIDDEN = 1_000; // milliseconds between two calls in a page that is hidden

/** Wait; at most until one of *events* happens to the page, or the signal ends it. */
export function rest(ms: number, signal: AbortSignal, ...events: string[]): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(wake, ms);
    function wake(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      for (const event of events) removeEventListener(event, wake);
      resolve();
    }
    signal.addEventListener("abort", wake);
    for (const event of events) addEventListener(event, wake);
  });
}

/** Return once the page is in sight. */
export async function sighted(signal: AbortSignal): Promise<void> {
  while (isHidden() && !signal.aborted) await rest(SELDOM, signal, "visibilitychange");
}

/** Do work until its end, or until the page was out of sight for a while: its signal says so. */
export async function whileSighted(
  signal: AbortSignal,
  work: (seen: AbortSignal) => Promise<void>,
): Promise<void> {
  const unseen = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    clearTimeout(timer);
    if (isHidden()) timer = setTimeout(() => unseen.abort(), UNSEEN_AFTER);
  };
  addEventListener("visibilitychange", look);
  look();
  try {
    await work(AbortSignal.any([signal, unseen.signal]));
  } catch (error) {
    if (!unseen.signal.aborted || signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    removeEventListener("visibilitychange", look);
  }
}

function isHidden(): boolean {
  return globalThis.document?.hidden ?? false;
}

/** Lets the page draw and answer between pieces of long work. */
export class Breather {
  #since = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#since > LONGEST_WORK;
  }

  async breathe(): Promise<void> {
    await breathe();
    this.#since = performance.now();
  }
}

/** Calls once a frame at most, after it was asked to. */
export class Framed {
  #frame: number | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #work: () => void;

  constructor(work: () => void) {
    this.#work = work;
  }

  ask(): void {
    if (this.#frame !== null || this.#timer !== null) return;
    // Frames stand still while the page is hidden; the timer goes on.
    this.#timer = setTimeout(() => this.#run(), HIDDEN);
    this.#frame = requestAnimationFrame(() => this.#run());
  }

  stop(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#frame = this.#timer = null;
  }

  #run(): void {
    this.stop();
    this.#work();
  }
}
