/** Digests of many files, by as many threads as do good. */

import { digest } from "./digest";
import type { Answered, Asked } from "./digest.worker";

const MOST_THREADS = 4; // one disk, and the page wants to live too

type Waiting = { resolve: (sha256: string) => void; reject: (error: Error) => void };

/** Computes digests; `threads` of them at a time. */
export class Digests {
  readonly threads: number;
  #workers: Worker[] = [];
  #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor() {
    const cores = globalThis.navigator?.hardwareConcurrency ?? 2;
    this.threads = Math.max(1, Math.min(MOST_THREADS, cores - 1));
    if (typeof Worker === "undefined") return;
    for (let thread = 0; thread < this.threads; thread += 1) {
      const worker = new Worker(new URL("./digest.worker.ts", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }: MessageEvent<Answered>) => this.#answered(data);
      this.#workers.push(worker);
    }
  }

  /** Return the SHA-256 of a file in hexadecimal; raise what reading it raises. */
  of(file: File): Promise<string> {
    const id = this.#next++;
    const worker = this.#workers[id % this.#workers.length];
    if (worker === undefined) return digest(file);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, file } satisfies Asked);
    });
  }

  /** End the threads; what they were asked for is never answered. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    this.#waiting.clear();
  }

  #answered(answer: Answered): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (waiting === undefined) return;
    if ("sha256" in answer) waiting.resolve(answer.sha256);
    else waiting.reject(Object.assign(new Error(answer.error), { name: answer.name }));
  }
}
