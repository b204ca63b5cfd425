/** The line to the server: asked patiently, and waited for when it is gone. */

import { isPassing, isRefusal, pause, sleep, wished } from "./backoff";
import type { Api } from "./types";

const SHOWN_AFTER = 1_500; // milliseconds without an answer, from which on we are offline

export class Line {
  /** Told when the server can't be reached for a while, and when it can again. */
  onReach: (isReached: boolean) => void = () => undefined;
  #reaching: Promise<void> | null = null;
  #failingSince: number | null = null;

  constructor(
    readonly api: Api,
    readonly signal: AbortSignal,
  ) {}

  /** Return the server's answer, however long it is away or busy; raise what is final. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      this.signal.throwIfAborted();
      try {
        const answer = await this.api.call<T>(method, path, body, { signal: this.signal });
        this.heard();
        return answer;
      } catch (error) {
        if (!isRefusal(error) || !isPassing(error)) throw error;
        if (error.status === 0) this.missed();
        else this.heard();
        await this.#rest(Math.max(pause(attempt), wished(error)));
      }
    }
  }

  /** Return once the server answers; whoever else waits for it shares the asking. */
  async reach(): Promise<void> {
    this.missed();
    this.#reaching ??= this.call("GET", "/livez").then(
      () => void (this.#reaching = null),
      (error: unknown) => {
        this.#reaching = null;
        throw error;
      },
    );
    await this.#reaching;
  }

  /** Note that the server answered. */
  heard(): void {
    if (this.#failingSince === null) return;
    this.#failingSince = null;
    this.onReach(true);
  }

  /** Note that it did not. */
  missed(): void {
    const now = performance.now();
    this.#failingSince ??= now;
    if (now - this.#failingSince >= SHOWN_AFTER || isOffline()) this.onReach(false);
  }

  /** Wait, but not once the browser says that the network is back. */
  async #rest(milliseconds: number): Promise<void> {
    const rested = new AbortController();
    const wake = (): void => rested.abort();
    globalThis.addEventListener?.("online", wake);
    try {
      await sleep(milliseconds, AbortSignal.any([this.signal, rested.signal]));
    } catch (error) {
      this.signal.throwIfAborted();
      if (!rested.signal.aborted) throw error;
    } finally {
      globalThis.removeEventListener?.("online", wake);
    }
  }
}

function isOffline(): boolean {
  return typeof navigator !== "undefined" && navigator.onLine === false;
}
