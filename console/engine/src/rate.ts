/** How fast it goes, and how long it will yet take. */

const SAMPLE = 1_000; // milliseconds
const WINDOW = 12; // samples that count
const MEANINGFUL_FROM = 3; // samples

/** Bytes per second over the last seconds of sending; time in which nothing may be sent is left out. */
export class Rate {
  #samples: number[] = []; // bytes each
  #current = 0;
  #since: number | null = null;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Note bytes that went out. */
  add(bytes: number): void {
    this.#roll();
    this.#current += bytes;
  }

  /** Bytes per second; null before that means anything. */
  get bytesPerSecond(): number | null {
    this.#roll();
    if (this.#samples.length < MEANINGFUL_FROM) return null;
    const all = this.#samples.reduce((sum, sample) => sum + sample, 0);
    return (all * 1_000) / (SAMPLE * this.#samples.length);
  }

  /** Return the seconds that so many bytes will take; null while nobody could say. */
  secondsFor(bytes: number): number | null {
    const rate = this.bytesPerSecond;
    return rate === null || rate <= 0 ? null : bytes / rate;
  }

  /** Forget the past: the line is a new one. */
  restart(): void {
    this.#samples = [];
    this.#current = 0;
    this.#since = null;
  }

  #roll(): void {
    const now = this.now();
    this.#since ??= now;
    for (let rolled = 0; now - this.#since >= SAMPLE; rolled += 1) {
      if (rolled > WINDOW) {
        this.#since = now; // a sleep: what was before tells nothing
        this.#samples = [];
        break;
      }
      this.#samples.push(this.#current);
      this.#current = 0;
      this.#since += SAMPLE;
    }
    this.#samples.splice(0, this.#samples.length - WINDOW);
  }
}
