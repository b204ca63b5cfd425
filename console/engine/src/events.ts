/** Following a batch by its server-sent events, through broken connections and restarts. */

import { isRefusal, isPassing, pause, sleep, wished } from "./backoff";
import type { Batch, Change } from "./schema.gen";
import type { Api } from "./types";

const SILENCE = 45_000; // milliseconds; the server comments every 15 s on a silent stream
const RESTING = 500; // milliseconds before taking up a stream that the server ended

/** What the server tells of a batch; `number` is that of the last change it includes. */
export type BatchEvent =
  | { kind: "snapshot"; number: number; batch: Batch }
  | { kind: "change"; number: number; change: Change }
  | { kind: "progress"; batch: Batch }
  | { kind: "closed"; batch: Batch };

/**
 * Yield what happens in a batch until it is over, beginning behind change `after` where that is
 * given. Raises what the server refuses for good.
 */
export async function* follow(
  api: Api,
  batchId: string,
  options: { signal: AbortSignal; after?: number; onLive?: (isLive: boolean) => void },
): AsyncGenerator<BatchEvent, void> {
  const { signal, onLive } = options;
  let after = options.after ?? null;
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    const silence = new AbortController();
    try {
      const both = AbortSignal.any([signal, silence.signal]);
      for await (const event of streamed(api, batchId, after, both, () => silence.abort())) {
        attempt = 0;
        onLive?.(true);
        if (event === null) continue;
        if (event.kind === "snapshot" || event.kind === "change") after = event.number;
        yield event;
        if (event.kind === "closed") return;
      }
      onLive?.(false);
      await sleep(Math.max(RESTING, pause(attempt)), signal);
    } catch (error) {
      signal.throwIfAborted();
      onLive?.(false);
      if (isRefusal(error) && !isPassing(error)) throw error;
      await sleep(Math.max(pause(attempt), isRefusal(error) ? wished(error) : 0), signal);
    } finally {
      silence.abort();
    }
  }
}

/** Yield one stream's events, and null for its signs of life. */
async function* streamed(
  api: Api,
  batchId: string,
  after: number | null,
  signal: AbortSignal,
  onSilence: () => void,
): AsyncGenerator<BatchEvent | null> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (after !== null) headers["Last-Event-ID"] = String(after);
  const answer = await api.stream(`/v1/batches/${batchId}/events`, { signal, headers });
  if (answer.body === null) return;
  let timer = setTimeout(onSilence, SILENCE);
  const parser = new Frames();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      clearTimeout(timer);
      if (done) return;
      timer = setTimeout(onSilence, SILENCE);
      yield null;
      for (const frame of parser.feed(value)) {
        const event = eventOf(frame);
        if (event !== null) yield event;
      }
    }
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => undefined); // the connection may be gone
  }
}

export type Frame = { event: string; id: string; data: string };

/** Parses a stream as the HTML standard has it (9.2.6), fed in pieces of any size. */
export class Frames {
  #rest = "";
  #frame: Frame = { event: "", id: "", data: "" };

  /** Yield the frames that end in a piece of text. */
  *feed(piece: string): Generator<Frame> {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        this.#take(line);
        continue;
      }
      if (this.#frame.data !== "") yield this.#frame;
      this.#frame = { event: "", id: "", data: "" };
    }
  }

  #take(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#frame.event = value;
    else if (name === "id") this.#frame.id = value;
    else if (name === "data") this.#frame.data += this.#frame.data === "" ? value : `\n${value}`;
  }
}

/** Return what a frame tells; null for events that a newer server may send. */
export function eventOf(frame: Frame): BatchEvent | null {
  const number = Number(frame.id);
  // The server's own events have the shapes that its OpenAPI document gives them.
  switch (frame.event) {
    case "snapshot":
      return { kind: "snapshot", number, batch: JSON.parse(frame.data) as Batch };
    case "change":
      return { kind: "change", number, change: JSON.parse(frame.data) as Change };
    case "progress":
    case "closed":
      return { kind: frame.event, batch: JSON.parse(frame.data) as Batch };
    default:
      return null;
  }
}
