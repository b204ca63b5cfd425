/** One file on its way: which of its parts are still to be sent, and where they lie in it. */

import type { Plan, PartGrant, Verdict, WantedUpload } from "./schema.gen";

const WHOLE: Plan = { kind: "single", part_size: null, parts: 1, concurrency: 1 };

export type Piece = { readonly going: Going; readonly number: number; grant: PartGrant };

export class Going {
  readonly todo: number[];
  readonly underWay = new Set<number>();
  readonly sent = new Map<number, number>(); // bytes by part, those under way too
  /** Whether `todo` is known; else the next grant tells what is here already. */
  isKnown: boolean;
  needsCompletion = false; // even of one part: the server doesn't see it arrive
  incomplete = 0; // how often the server missed parts that it was told are sent
  isOver = false;

  constructor(
    readonly index: number,
    readonly uploadId: string,
    readonly file: File,
    readonly plan: Plan,
    isFresh: boolean,
  ) {
    this.isKnown = isFresh;
    this.todo = isFresh ? range(1, plan.parts) : [];
  }

  get sentBytes(): number {
    let sum = 0;
    for (const bytes of this.sent.values()) sum += bytes;
    return sum;
  }

  /** Return the bytes of a part, counted from 1; nothing is read yet. */
  part(number: number): Blob {
    const size = this.plan.part_size ?? null;
    if (size === null) return this.file;
    return this.file.slice((number - 1) * size, Math.min(number * size, this.file.size));
  }

  /** Note what the server has, and what is therefore left. */
  learn(have: readonly number[]): void {
    const here = new Set(have);
    for (const number of here) this.sent.set(number, this.part(number).size);
    this.isKnown = true;
    this.todo.push(...range(1, this.plan.parts).filter((number) => !here.has(number)));
  }

  /** Return what a request for grants says of it. */
  wanted(numbers: readonly number[]): WantedUpload {
    return { id: this.uploadId, parts: numbers.map((number) => ({ number })) };
  }
}

/** Return what is to be sent for a verdict; null when nothing is. */
export function goingFor(verdict: Verdict, index: number, file: File): Going | null {
  if (verdict.verdict !== "send" && verdict.verdict !== "resume") return null;
  if (!verdict.upload_id) return null;
  const isFresh = verdict.verdict === "send";
  return new Going(index, verdict.upload_id, file, verdict.plan ?? WHOLE, isFresh);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, step) => from + step);
}
