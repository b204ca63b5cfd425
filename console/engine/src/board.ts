/** What is known of a delivery, told to whoever watches, once a frame at most. */

import type { Amount, Batch } from "./schema.gen";
import type { DeliveryFile, DeliveryState, Found, Outlook, Phase, Unreadable } from "./types";

const HIDDEN_FRAME = 100; // milliseconds between updates where nothing is painted

type Sums = Record<"hashed" | "toSend" | "sent" | "settled", Amount>;
type Told = Pick<
  DeliveryState,
  "phase" | "batchId" | "batch" | "bytesPerSecond" | "secondsLeft" | "trouble"
>;

/** The files of a delivery and their sums, which follow every change of a file. */
export class Board {
  readonly files: DeliveryFile[];
  #told: Told = {
    phase: "reading",
    batchId: null,
    batch: null,
    bytesPerSecond: null,
    secondsLeft: null,
    trouble: null,
  };
  #sums: Sums = { hashed: none(), toSend: none(), sent: none(), settled: none() };
  #outlooks: Record<Outlook, Amount> = {
    new: none(),
    new_version: none(),
    present: none(),
    skipped: none(),
    refused: none(),
  };
  #found: Amount;
  #left = 0;
  #reached: Amount = none();
  #wanted = new Set<number>(); // files whose bytes the server wants
  #hashed = new Set<number>();
  #changed = 0;
  #unreadable: Unreadable[];
  #listeners = new Set<(state: DeliveryState) => void>();
  #isDue = false;
  #state: DeliveryState | null = null;

  constructor(found: readonly Found[], unreadable: readonly Unreadable[]) {
    this.#unreadable = [...unreadable];
    this.files = found.map(({ path, file }, index) => ({
      index,
      path,
      size: file.size,
      outlook: null,
      isExact: false,
      reason: null,
      detail: null,
      uploadId: null,
      state: null,
      stage: "waiting",
      sentBytes: 0,
      trouble: null,
    }));
    this.#found = {
      count: found.length,
      bytes: found.reduce((sum, { file }) => sum + file.size, 0),
    };
  }

  get phase(): Phase {
    return this.#told.phase;
  }

  /** What is known now; the same object until something changes. */
  get state(): DeliveryState {
    this.#state ??= {
      ...this.#told,
      ...structuredClone(this.#sums),
      sent: this.#reach(),
      outlooks: structuredClone(this.#outlooks),
      found: this.#found,
      left: this.#left,
      changed: this.#changed,
      unreadable: [...this.#unreadable],
    };
    return this.#state;
  }

  /** Return the most that was ever sent: what a broken line lost is sent again before it grows. */
  #reach(): Amount {
    const { count, bytes } = this.#sums.sent;
    this.#reached = {
      count: Math.max(count, this.#reached.count),
      bytes: Math.max(bytes, this.#reached.bytes),
    };
    return this.#reached;
  }

  /** Have a listener told at once, and whenever something changed. */
  subscribe(listener: (state: DeliveryState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.state);
    return () => this.#listeners.delete(listener);
  }

  /** Note what is known of the whole. */
  tell(told: Partial<Told>): void {
    this.#told = { ...this.#told, ...told };
    this.#due();
  }

  /** Note that the server wants a file's bytes. */
  want(index: number): void {
    const file = this.files[index];
    if (file === undefined || this.#wanted.has(index)) return;
    this.#wanted.add(index);
    add(this.#sums.toSend, 1, file.size);
    this.#due();
  }

  /** Note that a file's digest is known. */
  hash(index: number): void {
    const file = this.files[index];
    if (file === undefined || this.#hashed.has(index)) return;
    this.#hashed.add(index);
    add(this.#sums.hashed, 1, file.size);
    this.#due();
  }

  /** Change what is known of a file, and all sums with it. */
  change(index: number, change: Partial<DeliveryFile>): void {
    const before = this.files[index];
    if (before === undefined) return;
    const after: DeliveryFile = { ...before, ...change };
    this.files[index] = after;
    this.#count(before, -1);
    this.#count(after, 1);
    this.#changed += 1;
    this.#due();
  }

  #count(file: DeliveryFile, sign: 1 | -1): void {
    if (file.outlook !== null) add(this.#outlooks[file.outlook], sign, sign * file.size);
    const hasArrived = file.stage === "sent" || (file.stage === "settled" && file.sentBytes > 0);
    add(this.#sums.sent, hasArrived ? sign : 0, sign * file.sentBytes);
    if (file.stage === "settled") add(this.#sums.settled, sign, sign * file.size);
    if (file.stage === "left") this.#left += sign;
  }

  #due(): void {
    this.#state = null;
    if (this.#isDue) return;
    this.#isDue = true;
    const tell = (): void => {
      this.#isDue = false;
      const state = this.state;
      for (const listener of this.#listeners) listener(state);
    };
    // A hidden page gets no frames, but its title and the panel must be right when it is shown.
    if (globalThis.document?.visibilityState === "visible") requestAnimationFrame(tell);
    else setTimeout(tell, HIDDEN_FRAME);
  }
}

/** The latest batch of two: a batch's totals only ever grow, but for a retry. */
export function later(one: Batch | null, other: Batch): Batch {
  if (one === null || one.id !== other.id) return other;
  const isOlder =
    other.declared.count < one.declared.count ||
    (other.declared.count === one.declared.count &&
      other.settled.count < one.settled.count &&
      one.state !== "settled");
  return isOlder ? one : other;
}

function none(): Amount {
  return { count: 0, bytes: 0 };
}

function add(amount: Amount, count: number, bytes: number): void {
  amount.count += count;
  amount.bytes += bytes;
}
