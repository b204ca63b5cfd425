/** What the engine takes and shows. */

import type { Amount, Batch, Forecast, NewBatch, Upload } from "./schema.gen";

export type Outlook = Forecast["outlook"];
export type UploadState = Upload["state"];
export type OnConflict = NonNullable<NewBatch["on_conflict"]>;

/** A file that was found; `path` has slashes and begins with the dropped folder's name. */
export type Found = { path: string; file: File };

/** Something that was found and can't be read. */
export type Unreadable = { path: string; why: string };

/** The server, as the engine calls it. */
export interface Api {
  /** Return the decoded answer; raise an error with `status` (0: no answer) for any other. */
  call<T>(
    method: string,
    path: string,
    body?: unknown,
    options?: { signal?: AbortSignal; headers?: Record<string, string> },
  ): Promise<T>;
  /** Return an answer whose body is read as it comes; raise as `call` does. */
  stream(
    path: string,
    options?: { signal?: AbortSignal; headers?: Record<string, string> },
  ): Promise<Response>;
}

/** What `Api` raises. */
export interface Refusal {
  status: number; // 0: the server could not be reached
  problem: { code: string; detail: string };
  retryAfter: number | null; // seconds
}

export type Phase =
  | "reading"
  | "previewing"
  | "ready"
  | "sending"
  | "paused"
  | "offline"
  | "finishing"
  | "done"
  | "cancelled"
  | "failed";

export type Stage = "waiting" | "hashing" | "sending" | "sent" | "settled" | "left";

/** One file of a delivery. Frozen: a change makes a new one. */
export type DeliveryFile = {
  readonly index: number;
  readonly path: string;
  readonly size: number; // bytes
  readonly outlook: Outlook | null; // null: not asked yet
  readonly isExact: boolean; // whether the outlook knows the file's content
  readonly reason: string | null;
  readonly detail: string | null;
  readonly uploadId: string | null;
  readonly state: UploadState | null; // null: not declared
  readonly stage: Stage;
  readonly sentBytes: number; // durable at the server or on the way
  readonly trouble: string | null; // why it was left
};

/** A delivery in numbers, at one moment. */
export type DeliveryState = {
  readonly phase: Phase;
  readonly changed: number; // grows whenever a file changed
  readonly batchId: string | null;
  readonly batch: Batch | null; // as the server told last
  readonly found: Amount;
  readonly outlooks: Readonly<Record<Outlook, Amount>>;
  readonly hashed: Amount;
  readonly toSend: Amount;
  readonly sent: Amount;
  readonly settled: Amount;
  readonly left: number; // files that were given up here, and can be delivered again
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null; // null while nobody could say
  readonly trouble: string | null; // why all of it stopped
  readonly unreadable: readonly Unreadable[];
};
