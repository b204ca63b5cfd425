/** When to try again. */

import type { Refusal } from "./types";

const FIRST_PAUSE = 250; // milliseconds
const LONGEST_PAUSE = 10_000; // milliseconds; a restarted server is noticed within it
const LONGEST_WISH = 60; // seconds of `Retry-After` that are honoured
const AGAIN: ReadonlySet<number> = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

/**
 * Return the milliseconds to wait after failed attempt `attempt`, counted from 0: exponential with
 * full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog), so that a thousand
 * browsers don't come back in the same second.
 */
export function pause(attempt: number, chance: () => number = Math.random): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(attempt, 16)) * chance();
}

/** Return the milliseconds that a refusal asks us to wait. */
export function wished(refusal: { retryAfter: number | null }): number {
  return 1_000 * Math.min(LONGEST_WISH, refusal.retryAfter ?? 0);
}

/** Say whether an error is one of the server's answers, or the lack of one. */
export function isRefusal(error: unknown): error is Refusal {
  return typeof error === "object" && error !== null && "status" in error && "problem" in error;
}

/** Say whether the same request may succeed later. */
export function isPassing(refusal: Refusal): boolean {
  return AGAIN.has(refusal.status) || refusal.problem.code === "conflict";
}

/** Return after so many milliseconds; raise the signal's reason when it is aborted before. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Let whatever waits for the thread have it: input, painting, messages. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
