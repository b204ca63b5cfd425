/** Sending: windows of grants, parts in parallel, and completion, until nothing is left. */

import { pause, sleep, wished } from "./backoff";
import type { Board } from "./board";
import type { Line } from "./line";
import { obstacleIn, PATIENCE, sentenceIn, type Obstacle } from "./obstacles";
import { Pace } from "./pace";
import { Rate } from "./rate";
import { Reports } from "./reports";
import type { CompletionRequest, Completions, Grants, PartGrant, Upload } from "./schema.gen";
import type { Going, Piece } from "./sending";
import type { Put, Transport } from "./transport";
import { whyOf } from "./walk";

const WINDOW_PARTS = 64; // URLs asked for at once: enough to keep the connections busy meanwhile
const WINDOW_BYTES = 64 << 20; // and few enough that they are used before they expire
// Bytes up to which a body is read first: to hand a file over costs a browser a millisecond or two,
// and when that is gone, its error looks like a broken line.
const READ_UP_TO = 1 << 20;
const COMPLETED_AT_ONCE = 1_000;
const COMPLETED_AFTER = 250; // milliseconds that a file waits for company
const INCOMPLETE = 5; // times that a file is sent again because the server misses parts of it
const TAKES_BYTES: ReadonlySet<string> = new Set(["declared", "receiving"]);

/** Sends what it is given, in order, as many parts at a time as the line is good for. */
export class Sender {
  readonly rate = new Rate();
  #pace = new Pace();
  #waiting: Going[] = [];
  #pieces: Piece[] = [];
  #active = new Set<AbortController>();
  #open = new Map<string, Going>();
  #toComplete: Going[] = [];
  #isGranting = false;
  #isCompleting = false;
  #reports: Reports;
  #isPaused = false;
  #idle: (() => void)[] = [];

  constructor(
    private readonly line: Line,
    private readonly board: Board,
    private readonly batchId: string,
    private readonly put: Transport,
    /** Told of what nobody foresaw, and of refusals that stop all. */
    private readonly fail: (error: unknown) => void,
  ) {
    this.#reports = new Reports(line, batchId, this.#open);
  }

  /** Say whether an upload is under way. */
  has(uploadId: string): boolean {
    return this.#open.has(uploadId);
  }

  /** Have a file sent. */
  send(going: Going): void {
    if (this.#open.has(going.uploadId)) return;
    this.#open.set(going.uploadId, going);
    this.board.want(going.index);
    this.#waiting.push(going);
    this.#pump();
  }

  /** Return once nothing is left to be sent. */
  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Send nothing more; parts under way are given up, and sent anew later. */
  pause(): void {
    this.#isPaused = true;
    for (const one of this.#active) one.abort(PAUSED);
  }

  resume(): void {
    this.#isPaused = false;
    this.rate.restart();
    this.#pump();
  }

  // -- grants

  #pump(): void {
    if (this.#isPaused || this.line.signal.aborted) return;
    while (this.#active.size < this.#pace.limit) {
      const piece = this.#pieces.shift();
      if (piece === undefined) break;
      if (!piece.going.isOver) void this.#deliver(piece).catch(this.fail);
    }
    if (this.#waiting.length > 0 && this.#pieces.length < this.#pace.limit) {
      void this.#grant().catch(this.fail);
    }
  }

  async #grant(): Promise<void> {
    if (this.#isGranting) return;
    this.#isGranting = true;
    try {
      const asked = this.#window();
      const uploads = asked.map(([going, numbers]) => going.wanted(numbers));
      // Who names no part takes the room that is left.
      uploads.sort((one, other) => (other.parts?.length ?? 0) - (one.parts?.length ?? 0));
      const limit = Math.max(
        1,
        asked.reduce((sum, [, numbers]) => sum + numbers.length, 0),
      );
      const answer = await this.line.call<Grants>("POST", `/v1/batches/${this.batchId}/grants`, {
        limit,
        uploads,
      });
      const byId = new Map(answer.uploads.map((grant) => [grant.id, grant]));
      for (const [going, numbers] of asked) {
        await this.#granted(going, numbers, byId.get(going.uploadId));
      }
    } finally {
      this.#isGranting = false;
    }
    this.#pump();
  }

  /** Take from the front what one request asks for; an upload's parts may fill several. */
  #window(): [Going, number[]][] {
    const asked: [Going, number[]][] = [];
    let parts = WINDOW_PARTS;
    let bytes = WINDOW_BYTES;
    while (parts > 0 && bytes > 0) {
      const going = this.#waiting[0];
      if (going === undefined) break;
      const numbers: number[] = [];
      while (going.todo.length > 0 && parts > 0 && bytes > 0) {
        const number = going.todo.shift();
        if (number === undefined) break;
        numbers.push(number);
        going.underWay.add(number);
        parts -= 1;
        bytes -= going.part(number).size;
      }
      if (!going.isKnown) parts -= 1;
      if (going.todo.length === 0) this.#waiting.shift();
      asked.push([going, numbers]);
    }
    return asked;
  }

  async #granted(
    going: Going,
    numbers: readonly number[],
    grant: Grants["uploads"][number] | undefined,
  ): Promise<void> {
    if (going.isOver) return;
    if (grant === undefined || grant.code) return this.#notReceiving(going);
    const have = grant.have ?? [];
    if (grant.needs_completion) {
      going.needsCompletion = true;
      this.#reports.begin();
    }
    if (!going.isKnown) {
      going.learn(have);
      this.#showProgress(going);
      if (going.todo.length > 0) this.#waiting.unshift(going);
      else this.#allSent(going);
      return;
    }
    const urls = new Map<number, PartGrant>((grant.parts ?? []).map((part) => [part.number, part]));
    for (const number of numbers) {
      const url = urls.get(number);
      if (url !== undefined) this.#pieces.push({ going, number, grant: url });
      else if (have.includes(number)) this.#landed(going, number);
      else this.#again(going, number); // the answer had no room for it
    }
  }

  /** Have a part granted anew. */
  #again(going: Going, number: number): void {
    going.underWay.delete(number);
    going.sent.delete(number);
    if (!going.todo.includes(number)) going.todo.push(number);
    if (!this.#waiting.includes(going)) this.#waiting.unshift(going);
  }

  // -- bytes

  async #deliver(piece: Piece): Promise<void> {
    const stop = new AbortController();
    this.#active.add(stop);
    const signal = AbortSignal.any([this.line.signal, stop.signal]);
    try {
      this.board.change(piece.going.index, { stage: "sending" });
      await this.#overcome(piece, signal);
    } catch (error) {
      if (this.line.signal.aborted) return;
      if (stop.signal.reason !== PAUSED) throw error;
      this.#again(piece.going, piece.number);
      this.#showProgress(piece.going);
    } finally {
      this.#active.delete(stop);
    }
    this.#pump();
  }

  /** Send a part until it has landed or something final stands against it. */
  async #overcome(piece: Piece, signal: AbortSignal): Promise<void> {
    const met = new Map<Obstacle, number>();
    while (!piece.going.isOver) {
      let answer: Put;
      try {
        answer = await this.#putOnce(piece, signal);
      } catch (error) {
        signal.throwIfAborted();
        return this.#leave(piece.going, whyOf(error));
      }
      if (answer.status >= 200 && answer.status < 300)
        return this.#landed(piece.going, piece.number);
      piece.going.sent.delete(piece.number);
      this.#showProgress(piece.going);
      const hit = obstacleIn(answer);
      const times = (met.get(hit) ?? 0) + 1;
      met.set(hit, times);
      if (hit === "there") return this.#landed(piece.going, piece.number);
      if (times > PATIENCE[hit]) return this.#leave(piece.going, sentenceIn(answer));
      if (await this.#isPassed(piece, hit)) return;
      await sleep(Math.max(pause(times), wished(answer)), signal);
    }
  }

  async #putOnce(piece: Piece, signal: AbortSignal): Promise<Put> {
    const { going, number, grant } = piece;
    let told = 0;
    const part = going.part(number);
    const body = part.size <= READ_UP_TO ? await part.arrayBuffer() : await readable(part);
    const isFull = this.#active.size >= this.#pace.limit;
    return this.put(grant.url, {
      headers: grant.headers ?? {},
      body,
      signal,
      onProgress: (sent) => {
        if (sent <= told) return;
        this.rate.add(sent - told);
        this.#pace.sent(sent - told, isFull);
        told = sent;
        going.sent.set(number, sent);
        this.#showProgress(going);
      },
    });
  }

  /** Do what may remove an obstacle; return whether the part need not be sent any more. */
  async #isPassed(piece: Piece, hit: Obstacle): Promise<boolean> {
    if (hit === "elsewhere") {
      await this.#notReceiving(piece.going);
      return true;
    }
    if (hit === "broken" || hit === "later") this.#pace.struck();
    if (hit === "broken") await this.line.reach();
    return hit === "broken" || hit === "grant" ? this.#isHereByNow(piece) : false;
  }

  /** Get another URL for a part, unless the server has it; return whether it has. */
  async #isHereByNow(piece: Piece): Promise<boolean> {
    const { going, number } = piece;
    const answer = await this.line.call<Grants>("POST", `/v1/batches/${this.batchId}/grants`, {
      limit: 1,
      uploads: [going.wanted([number])],
    });
    const grant = answer.uploads[0];
    if (grant === undefined || grant.code) {
      await this.#notReceiving(going);
      return true;
    }
    if ((grant.have ?? []).includes(number)) {
      this.#landed(going, number);
      return true;
    }
    piece.grant = (grant.parts ?? []).find((part) => part.number === number) ?? piece.grant;
    return false;
  }

  #landed(going: Going, number: number): void {
    if (going.isOver || !going.underWay.delete(number)) return;
    going.sent.set(number, going.part(number).size);
    this.#showProgress(going);
    if (going.todo.length === 0 && going.underWay.size === 0) this.#allSent(going);
  }

  #allSent(going: Going): void {
    if (going.plan.kind === "single" && !going.needsCompletion) return this.#arrived(going);
    this.#toComplete.push(going);
    void this.#complete().catch(this.fail);
  }

  #arrived(going: Going): void {
    this.#finish(going);
    const state = this.board.files[going.index]?.state ?? null;
    if (this.board.files[going.index]?.stage !== "settled") {
      this.board.change(going.index, {
        stage: "sent",
        sentBytes: going.file.size,
        state: state === "declared" || state === null ? "receiving" : state,
      });
    }
  }

  /** Find out why an upload takes no bytes: it may be here by another way. */
  async #notReceiving(going: Going): Promise<void> {
    const upload = await this.line.call<Upload>("GET", `/v1/uploads/${going.uploadId}`);
    if (TAKES_BYTES.has(upload.state)) {
      this.#finish(going); // a twin of another file, whose bytes it gets
      this.board.change(going.index, { stage: "waiting", state: upload.state });
    } else {
      this.#arrived(going);
    }
  }

  #leave(going: Going, why: string): void {
    this.#finish(going);
    this.board.change(going.index, { stage: "left", trouble: why, sentBytes: 0 });
  }

  #finish(going: Going): void {
    going.isOver = true;
    this.#open.delete(going.uploadId);
    if (this.#open.size > 0) return;
    for (const tell of this.#idle.splice(0)) tell();
  }

  // -- completion

  async #complete(): Promise<void> {
    if (this.#isCompleting) return;
    this.#isCompleting = true;
    try {
      while (this.#toComplete.length > 0) {
        if (this.#toComplete.length < this.#open.size) {
          await sleep(COMPLETED_AFTER, this.line.signal);
        }
        await this.#completeSome(this.#toComplete.splice(0, COMPLETED_AT_ONCE));
      }
    } finally {
      this.#isCompleting = false;
    }
  }

  async #completeSome(group: readonly Going[]): Promise<void> {
    const byId = new Map(group.map((going) => [going.uploadId, going]));
    const body: CompletionRequest = { uploads: group.map((going) => ({ id: going.uploadId })) };
    const path = `/v1/batches/${this.batchId}/completions`;
    const answer = await this.line.call<Completions>("POST", path, body);
    for (const completion of answer.uploads) {
      const going = byId.get(completion.id);
      if (going === undefined) continue;
      const missing = completion.missing ?? [];
      if (missing.length > 0 && going.incomplete < INCOMPLETE) {
        going.incomplete += 1;
        for (const number of missing) this.#again(going, number);
      } else if (missing.length > 0) {
        this.#leave(going, "the store keeps losing parts of it");
      } else if (completion.code || completion.state === null) {
        await this.#notReceiving(going);
      } else {
        this.#arrived(going);
      }
    }
    this.#pump();
  }

  // -- what others see

  #showProgress(going: Going): void {
    this.board.change(going.index, { sentBytes: going.sentBytes });
  }
}

/** Return a part that can be read; raise what reading its first byte raises. */
async function readable(part: Blob): Promise<Blob> {
  await part.slice(0, 1).arrayBuffer();
  return part;
}

const PAUSED = new DOMException("paused", "AbortError");
