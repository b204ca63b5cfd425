/** Asking what a delivery would come to: at once by names, then by what digests tell. */

import { breathe } from "./backoff";
import type { Board } from "./board";
import { entryOf } from "./declarer";
import type { Line } from "./line";
import type { Entry, Forecast, Preview } from "./schema.gen";
import type { Found, OnConflict } from "./types";

const AT_ONCE = 5_000; // entries; the server takes no more
const TOGETHER = 1_000; // digests that are worth a question
const AFTER = 1_000; // milliseconds that one waits for others

type Options = { projectId: string; files: readonly Found[]; onConflict?: OnConflict };

export class Previews {
  #known: { index: number; entry: Entry }[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #asking: Promise<void> = Promise.resolve();

  constructor(
    private readonly line: Line,
    private readonly board: Board,
    private readonly options: Options,
  ) {}

  /** Ask about every file by its path and size. */
  async byName(): Promise<void> {
    const { files } = this.options;
    for (let start = 0; start < files.length; start += AT_ONCE) {
      const group = files.slice(start, start + AT_ONCE).map((found, place) => ({
        index: start + place,
        entry: entryOf(found, null),
      }));
      await this.#ask(group, false);
    }
  }

  /** Ask about a file whose content is known now, soon. */
  byContent(index: number, sha256: string): void {
    const found = this.options.files[index];
    if (found === undefined) return;
    this.#known.push({ index, entry: entryOf(found, sha256) });
    if (this.#known.length >= TOGETHER) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), AFTER);
  }

  /** Return once everything that is known was asked. */
  async finished(): Promise<void> {
    this.#flush();
    await this.#asking;
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const group = this.#known.splice(0);
    if (group.length === 0) return;
    // A forecast is a courtesy: what it misses, the declaration tells.
    this.#asking = this.#asking.then(() => this.#ask(group, true)).catch(() => undefined);
  }

  async #ask(group: readonly { index: number; entry: Entry }[], isExact: boolean): Promise<void> {
    if (this.board.phase !== "previewing" && this.board.phase !== "ready") return;
    const path = `/v1/projects/${this.options.projectId}/previews`;
    const preview = await this.line.call<Preview>("POST", path, {
      entries: group.map(({ entry }) => entry),
      on_conflict: this.options.onConflict ?? "new_version",
    });
    for (const [place, { index }] of group.entries()) {
      const forecast = preview.items[place];
      if (forecast !== undefined) this.#note(index, forecast, isExact);
      if (place % 1_000 === 999) await breathe();
    }
  }

  #note(index: number, forecast: Forecast, isExact: boolean): void {
    this.board.change(index, {
      outlook: forecast.outlook,
      isExact: isExact || forecast.outlook === "skipped" || forecast.outlook === "refused",
      reason: forecast.reason ?? null,
      detail: forecast.detail ?? null,
    });
  }
}
