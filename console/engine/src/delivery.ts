/** One folder on its way to one project: looked through, declared, sent, and followed to its end. */

import { isRefusal, sleep } from "./backoff";
import { Board, later } from "./board";
import { Declarer } from "./declarer";
import { digest } from "./digest";
import { follow } from "./events";
import { Hashing } from "./hashing";
import { Line } from "./line";
import { Previews } from "./previews";
import type { Batch, Change, Me, Upload, Verdict } from "./schema.gen";
import { Sender } from "./sender";
import { Going, goingFor } from "./sending";
import { traced } from "./trace";
import { fetched, xhr, type Transport } from "./transport";
import type {
  Api,
  DeliveryFile,
  DeliveryState,
  Found,
  OnConflict,
  Phase,
  Unreadable,
  UploadState,
} from "./types";

/** Files in one batch; the server takes no more. */
export const MOST_FILES = 100_000;

const SHOWN_EVERY = 500; // milliseconds between looks at the rate
const POLLED_EVERY = 2_000; // milliseconds, while the end of the batch is waited for
const SETTLED: ReadonlySet<string> = new Set([
  "ready",
  "duplicate",
  "skipped",
  "rejected",
  "cancelled",
  "expired",
  "failed",
] satisfies UploadState[]);
const WANTED: ReadonlySet<string> = new Set(["promoted", "restarted"]);
const BUSY: ReadonlySet<Phase> = new Set(["sending", "paused", "offline", "finishing"]);

export type Options = {
  api: Api;
  projectId: string;
  files: readonly Found[];
  unreadable?: readonly Unreadable[];
  label?: string;
  onConflict?: OnConflict;
  /** A batch to go on with; without one, that of the same folder from the same person. */
  batchId?: string;
  /** How bytes travel; what the platform offers, unless given. */
  transport?: Transport;
};

export class Delivery {
  #board: Board;
  #line: Line;
  #stop = new AbortController();
  #hashing: Hashing;
  #previews: Previews;
  #sender: Sender | null = null;
  #plans = new Map<number, Verdict["plan"]>(); // by size: twins have none of theirs
  #byPath: Map<string, number>;
  #sent: Promise<DeliveryState> | null = null;
  #isPaused = false;
  #isReached = true;
  #onSettled: () => void = () => undefined;

  private readonly options: Options;

  constructor(given: Options) {
    const options = { ...given, api: traced(given.api) };
    this.options = options;
    this.#board = new Board(options.files, options.unreadable ?? []);
    this.#byPath = new Map(options.files.map(({ path }, index) => [path, index]));
    this.#line = new Line(options.api, this.#stop.signal);
    this.#line.onReach = (isReached) => {
      this.#isReached = isReached;
      this.#showPhase();
    };
    this.#previews = new Previews(this.#line, this.#board, options);
    this.#hashing = new Hashing(options.files, this.#board, this.#stop.signal, (index, sha256) => {
      if (this.#sent === null) this.#previews.byContent(index, sha256);
    });
  }

  get state(): DeliveryState {
    return this.#board.state;
  }

  get files(): readonly DeliveryFile[] {
    return this.#board.files;
  }

  /** Whether closing the page would interrupt something. */
  get isBusy(): boolean {
    return BUSY.has(this.#board.phase);
  }

  /** Have a listener told at once, and once a frame at most whenever something changed. */
  subscribe(listener: (state: DeliveryState) => void): () => void {
    return this.#board.subscribe(listener);
  }

  /** Ask what each file would be, by name and size; what content says follows in the background. */
  async preview(): Promise<void> {
    this.#board.tell({ phase: "previewing" });
    try {
      await this.#previews.byName();
      if (!this.#isPreviewed) return;
      this.#board.tell({ phase: "ready" });
      this.#hash();
    } catch (error) {
      if (this.#isPreviewed) this.#failed(error);
    }
  }

  /** Whether what is foreseen still matters; once files are sent, the server tells what they are. */
  get #isPreviewed(): boolean {
    return this.#board.phase === "previewing";
  }

  /** Declare every file, send what is wanted, and return how it all ended. */
  send(): Promise<DeliveryState> {
    this.#sent ??= this.#send();
    return this.#sent;
  }

  /** Send nothing for a while. */
  pause(): void {
    this.#isPaused = true;
    this.#sender?.pause();
    this.#showPhase();
  }

  resume(): void {
    this.#isPaused = false;
    this.#sender?.resume();
    this.#showPhase();
  }

  /** Take back what has not arrived, and end; before anything was declared, only end. */
  async cancel(): Promise<void> {
    const batchId = this.#board.state.batchId;
    this.#end("cancelled");
    if (batchId !== null) await this.options.api.call("POST", `/v1/batches/${batchId}/cancel`);
  }

  /** Stop everything here and leave the batch as it is: it can be gone on with. */
  stop(): void {
    this.#end("cancelled");
  }

  /** Compute digests in the background. */
  #hash(): void {
    this.#hashing
      .run()
      .then(() => this.#previews.finished())
      .catch((error: unknown) => this.#failed(error));
  }

  // -- sending

  async #send(): Promise<DeliveryState> {
    if (this.#stop.signal.aborted) return this.#board.state;
    this.#board.tell({ phase: "sending", trouble: null });
    const timer = setInterval(() => this.#showRate(), SHOWN_EVERY);
    try {
      await this.#run();
    } catch (error) {
      this.#failed(error);
    } finally {
      clearInterval(timer);
    }
    return this.#board.state;
  }

  async #run(): Promise<void> {
    const declarer = new Declarer(this.#line, {
      ...this.options,
      reference: await this.#reference(),
      opened: (batch) => this.#opened(batch),
      judged: (index, verdict) => this.#heed(index, verdict),
    });
    this.#hash();
    const ready = this.#hashing.ready();
    for (;;) {
      const { done, value } = await declarer.whileWaiting(ready.next());
      if (done) break;
      for (const index of value) {
        const found = this.options.files[index];
        if (found !== undefined) await declarer.add(index, found, this.#hashing.of(index));
      }
    }
    await declarer.flush();
    await this.#seeThrough();
  }

  #opened(batch: Batch): void {
    this.#see(batch);
    if (this.#sender !== null) return;
    this.#board.tell({ batchId: batch.id });
    const transport =
      this.options.transport ?? (typeof XMLHttpRequest === "undefined" ? fetched : xhr);
    this.#sender = new Sender(this.#line, this.#board, batch.id, transport, (error) =>
      this.#failed(error),
    );
    if (this.#isPaused) this.#sender.pause();
    this.#watch(batch.id).catch((error: unknown) => this.#failed(error));
  }

  #heed(index: number, verdict: Verdict): void {
    const found = this.options.files[index];
    if (found === undefined) return;
    const facts = {
      uploadId: verdict.upload_id ?? null,
      state: verdict.state ?? null,
      reason: verdict.reason ?? null,
      detail: verdict.detail ?? null,
    };
    if (!verdict.upload_id) {
      const trouble = verdict.detail ?? verdict.reason ?? "it was refused";
      this.#board.change(index, { ...facts, stage: "left", trouble });
      return;
    }
    if (verdict.plan) this.#plans.set(found.file.size, verdict.plan);
    const isSettled = verdict.state != null && SETTLED.has(verdict.state);
    this.#board.change(index, { ...facts, stage: isSettled ? "settled" : "waiting" });
    const going = goingFor(verdict, index, found.file);
    if (going !== null) this.#sender?.send(going);
  }

  /** Send a file whose bytes were to come with another one's, or were not to be sent. */
  #sendAfterAll(index: number, uploadId: string): void {
    const found = this.options.files[index];
    if (found === undefined || this.#sender === null || this.#sender.has(uploadId)) return;
    const plan = this.#plans.get(found.file.size);
    if (!plan) return;
    this.#sender.send(new Going(index, uploadId, found.file, plan, false));
  }

  // -- the end

  async #watch(batchId: string): Promise<void> {
    const signal = this.#stop.signal;
    for await (const event of follow(this.options.api, batchId, { signal })) {
      if (event.kind === "change") this.#take(event.change);
      else this.#see(event.batch);
    }
  }

  #take(change: Change): void {
    const index = change.key == null ? undefined : this.#byPath.get(change.key);
    if (index === undefined || !change.upload_id) return;
    if (WANTED.has(change.kind)) this.#sendAfterAll(index, change.upload_id);
    if (!change.state) return;
    this.#board.change(index, {
      state: change.state,
      reason: change.reason ?? null,
      detail: change.detail ?? null,
      ...(SETTLED.has(change.state) ? { stage: "settled" as const } : {}),
    });
  }

  #see(batch: Batch): void {
    this.#board.tell({ batch: later(this.#board.state.batch, batch) });
    if (batch.state === "settled") this.#onSettled();
  }

  /** Follow the batch to its end, or to where only files are left that we gave up. */
  async #seeThrough(): Promise<void> {
    const batchId = this.#board.state.batchId;
    if (batchId === null || this.#sender === null) return this.#end("done");
    await this.#sender.idle();
    const stays = this.#board.files.some((file) => file.stage === "left" && file.uploadId !== null);
    if (stays) return this.#end("done"); // open, so that the same folder can go on with it
    this.#board.tell({ phase: "finishing", secondsLeft: null, bytesPerSecond: null });
    this.#see(await this.#line.call<Batch>("POST", `/v1/batches/${batchId}/close`));
    await this.#settled(batchId);
    await this.#readBack(batchId);
    this.#end("done");
  }

  async #settled(batchId: string): Promise<void> {
    for (;;) {
      await this.#sender?.idle(); // promoted files
      if (this.#isSettled()) return;
      const settled = new Promise<void>((resolve) => (this.#onSettled = resolve));
      await Promise.race([settled, sleep(POLLED_EVERY, this.#stop.signal)]);
      if (this.#isSettled()) continue;
      this.#see(await this.#line.call<Batch>("GET", `/v1/batches/${batchId}`));
    }
  }

  #isSettled(): boolean {
    return this.#board.state.batch?.state === "settled";
  }

  /** Learn what became of files whose events we missed. */
  async #readBack(batchId: string): Promise<void> {
    if (this.#board.files.every((file) => file.stage === "settled" || file.stage === "left"))
      return;
    let cursor = "";
    do {
      const path = `/v1/batches/${batchId}/uploads?limit=1000${cursor}`;
      const page = await this.#line.call<{ items: Upload[]; next_cursor?: string | null }>(
        "GET",
        path,
      );
      for (const upload of page.items) {
        const index = this.#byPath.get(upload.key);
        if (index === undefined || this.#board.files[index]?.stage === "left") continue;
        this.#board.change(index, {
          uploadId: upload.id,
          state: upload.state,
          reason: upload.reason ?? null,
          detail: upload.detail ?? null,
          stage: SETTLED.has(upload.state) ? "settled" : "waiting",
        });
      }
      cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : "";
    } while (cursor !== "");
  }

  // -- what others see

  #showRate(): void {
    if (this.#sender === null || this.#board.phase !== "sending") return;
    const { toSend, sent } = this.#board.state;
    this.#board.tell({
      bytesPerSecond: this.#sender.rate.bytesPerSecond,
      secondsLeft: this.#hashing.isOver
        ? this.#sender.rate.secondsFor(toSend.bytes - sent.bytes)
        : null,
    });
  }

  #showPhase(): void {
    if (!["sending", "paused", "offline"].includes(this.#board.phase)) return;
    const phase = this.#isPaused ? "paused" : this.#isReached ? "sending" : "offline";
    this.#board.tell({ phase, ...(phase === "sending" ? {} : { secondsLeft: null }) });
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const told = isRefusal(error) ? error.problem.detail : String(error);
    this.#board.tell({ trouble: told });
    this.#end("failed");
    if (!isRefusal(error)) throw error;
  }

  #end(phase: "done" | "cancelled" | "failed"): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new DOMException(phase, "AbortError"));
    this.#board.tell({ phase, secondsLeft: null, bytesPerSecond: null });
  }

  /** Return what a delivery of this folder to this project by this person is always called. */
  async #reference(): Promise<string> {
    const me = await this.#line.call<Me>("GET", "/v1/me");
    const roots = new Set(this.options.files.map(({ path }) => path.split("/", 1)[0] ?? path));
    const named = [this.options.projectId, me.id, ...[...roots].sort()].join("\0");
    return `console-${(await digest(new Blob([named]))).slice(0, 32)}`;
  }
}
