/** Declaring files in one batch, in groups, as their digests become known. */

import type { Line } from "./line";
import type { Batch, Declared, Entry, Verdict } from "./schema.gen";
import type { Found, OnConflict } from "./types";

const AT_ONCE = [256, 1_024, 5_000]; // the first soon, so that sending begins; then many
const MOST_AT_ONCE = 5_000;
const AFTER = 2_000; // milliseconds that a file waits for company
const CAN_BE_RETRIED: ReadonlySet<string> = new Set(["expired", "failed"]);
const DAMAGED: ReadonlySet<string> = new Set(["checksum_mismatch", "size_mismatch"]);

type Options = {
  projectId: string;
  reference: string;
  label?: string;
  onConflict?: OnConflict;
  batchId?: string;
  opened: (batch: Batch) => void;
  judged: (index: number, verdict: Verdict) => void;
};

type Waiting = { index: number; entry: Entry };

/** Return what is said of a file when it is declared, or asked about. */
export function entryOf(found: Found, sha256: string | null): Entry {
  const at = new Date(found.file.lastModified);
  return {
    key: found.path,
    path: found.path,
    size: found.file.size,
    sha256,
    modified_at: Number.isNaN(at.getTime()) ? null : at.toISOString(),
  };
}

export class Declarer {
  #batchId: string | null;
  #waiting: Waiting[] = [];
  #groups = 0;

  constructor(
    private readonly line: Line,
    private readonly options: Options,
  ) {
    this.#batchId = options.batchId ?? null;
  }

  /** Declare a file, soon. */
  async add(index: number, found: Found, sha256: string | null): Promise<void> {
    this.#waiting.push({ index, entry: entryOf(found, sha256) });
    if (this.#waiting.length >= (AT_ONCE[this.#groups] ?? MOST_AT_ONCE)) await this.flush();
  }

  /** Return what comes; when that takes long, declare meanwhile what there is. */
  async whileWaiting<T>(coming: Promise<T>): Promise<T> {
    if (this.#waiting.length === 0) return coming;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), AFTER);
    });
    const first = await Promise.race([coming.then(() => "come"), late]);
    clearTimeout(timer);
    if (first === "late") await this.flush();
    return coming;
  }

  /** Declare everything that waits. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#groups += 1;
      await this.#declare(this.#waiting.splice(0, MOST_AT_ONCE));
    }
  }

  async #declare(group: readonly Waiting[]): Promise<void> {
    const declared = await this.#ask(group);
    const undone = group.filter((_, place) => isUndone(declared.verdicts[place]));
    const again = new Map<string, Verdict>();
    if (undone.length > 0) {
      await this.line.call("POST", `/v1/batches/${declared.batch.id}/retry`);
      for (const verdict of (await this.#ask(undone)).verdicts) again.set(verdict.key, verdict);
    }
    this.options.opened(declared.batch);
    group.forEach(({ index, entry }, place) => {
      const verdict = again.get(entry.key) ?? declared.verdicts[place];
      if (verdict !== undefined) this.options.judged(index, verdict);
    });
  }

  async #ask(group: readonly Waiting[]): Promise<Declared> {
    const entries = group.map(({ entry }) => entry);
    if (this.#batchId !== null) {
      return this.line.call<Declared>("POST", `/v1/batches/${this.#batchId}/entries`, { entries });
    }
    const { projectId, reference, label, onConflict } = this.options;
    const declared = await this.line.call<Declared>("POST", `/v1/projects/${projectId}/batches`, {
      reference,
      entries,
      label: label ?? null,
      on_conflict: onConflict ?? "new_version",
    });
    this.#batchId = declared.batch.id;
    return declared;
  }
}

/** Say whether a file was declared before and came to an end that another try may better. */
function isUndone(verdict: Verdict | undefined): boolean {
  if (verdict?.verdict !== "settled" || !verdict.state) return false;
  if (CAN_BE_RETRIED.has(verdict.state)) return true;
  return verdict.state === "rejected" && DAMAGED.has(verdict.reason ?? "");
}
