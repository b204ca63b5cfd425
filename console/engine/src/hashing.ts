/** Computing the digests of a delivery's files, and telling which files are ready to be declared. */

import { breathe } from "./backoff";
import type { Board } from "./board";
import { Digests } from "./digests";
import type { DeliveryFile, Found } from "./types";
import { whyOf } from "./walk";

const IN_HAND = 2; // files a thread, so that none waits for the next

export class Hashing {
  #digests: Digests | null = null;
  #known: (string | null)[]; // by file
  #ready: number[] = []; // files that can be declared and were not told yet
  #awaited: Set<number>; // files of which that can't be said yet
  #wake: () => void = () => undefined;
  #isBegun = false;

  constructor(
    private readonly found: readonly Found[],
    private readonly board: Board,
    private readonly signal: AbortSignal,
    /** Told of every digest. */
    private readonly onDigest: (index: number, sha256: string) => void,
  ) {
    this.#known = found.map(() => null);
    this.#awaited = new Set(found.keys());
    signal.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** Whether every file's digest is known, or not needed. */
  get isOver(): boolean {
    return this.#isBegun && this.#awaited.size === 0;
  }

  /** Return a file's digest; null while it is not known, or where none is needed. */
  of(index: number): string | null {
    return this.#known[index] ?? null;
  }

  /** Compute all digests, of small files first; what is told by its name alone is not read. */
  async run(): Promise<void> {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const files = this.board.files;
    for (const file of files) if (isTold(file)) this.#note(file.index);
    const order = files
      .filter((file) => !isTold(file))
      .sort((one, other) => one.size - other.size)
      .map((file) => file.index)
      .values();
    const digests = new Digests();
    this.#digests = digests;
    const hands = Array.from({ length: IN_HAND * digests.threads }, () =>
      this.#work(digests, order),
    );
    await Promise.all(hands);
    this.#close();
  }

  /** Yield files that can be declared, as many as there are at a time, until none will follow. */
  async *ready(): AsyncGenerator<number[], void> {
    for (;;) {
      if (this.#ready.length > 0) yield this.#ready.splice(0);
      else if (this.isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
      this.signal.throwIfAborted();
    }
  }

  async #work(digests: Digests, order: Iterator<number>): Promise<void> {
    for (let next = order.next(), done = 0; !next.done; next = order.next(), done += 1) {
      this.signal.throwIfAborted();
      await this.#hash(digests, next.value);
      if (done % 32 === 31) await breathe();
    }
  }

  async #hash(digests: Digests, index: number): Promise<void> {
    const found = this.found[index];
    if (found === undefined) return;
    this.board.change(index, { stage: "hashing" });
    try {
      const sha256 = await digests.of(found.file);
      this.#known[index] = sha256;
      this.board.change(index, { stage: "waiting" });
      this.#note(index);
      this.onDigest(index, sha256);
    } catch (error) {
      this.signal.throwIfAborted();
      this.#awaited.delete(index);
      this.board.change(index, { stage: "left", trouble: whyOf(error) });
      this.#wake();
    }
  }

  #note(index: number): void {
    this.board.hash(index);
    this.#awaited.delete(index);
    this.#ready.push(index);
    this.#wake();
  }

  #close(): void {
    this.#digests?.close();
    this.#digests = null;
    this.#wake();
  }
}

/** Say whether a file's name told all there is to say. */
function isTold(file: DeliveryFile): boolean {
  return file.outlook === "skipped" || file.outlook === "refused";
}
