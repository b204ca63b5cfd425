/** Saying how much has gone to a store, where the server can't see it itself. Only ever shown. */

import { isRefusal, sleep } from "./backoff";
import type { Line } from "./line";
import type { Going } from "./sending";

const EVERY = 2_000; // milliseconds
const AT_ONCE = 1_000; // uploads

export class Reports {
  #isBegun = false;
  #told = new Map<string, number>(); // bytes by upload

  constructor(
    private readonly line: Line,
    private readonly batchId: string,
    private readonly open: ReadonlyMap<string, Going>,
  ) {}

  /** Tell from now on, until the delivery ends. */
  begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    void this.#run().catch(() => undefined); // the end of the delivery, on which nothing depends
  }

  async #run(): Promise<void> {
    for (;;) {
      await sleep(EVERY, this.line.signal);
      const news = [...this.open.values()]
        .map((going) => ({ id: going.uploadId, sent_bytes: going.sentBytes }))
        .filter(({ id, sent_bytes }) => sent_bytes > 0 && this.#told.get(id) !== sent_bytes)
        .slice(0, AT_ONCE);
      if (news.length > 0) await this.#tell(news);
    }
  }

  async #tell(uploads: readonly { id: string; sent_bytes: number }[]): Promise<void> {
    const path = `/v1/batches/${this.batchId}/progress`;
    try {
      await this.line.api.call("POST", path, { uploads }, { signal: this.line.signal });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    for (const { id, sent_bytes } of uploads) this.#told.set(id, sent_bytes);
  }
}
