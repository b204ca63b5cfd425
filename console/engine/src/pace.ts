/** How many parts to send at once, found out by trying. */

const FEWEST = 2;
const MOST = 16; // beyond it a browser queues by itself, six connections a host with HTTP/1.1
const BEGUN_WITH = 6;
const LOOKED_AT_EVERY = 2_000; // milliseconds: some parts' worth on most lines
const WORTH_IT = 1.05; // a further part at once must bring so much more, or is taken back

/** Adds one while that makes the whole faster, and halves when the line or the server complains. */
export class Pace {
  #limit = BEGUN_WITH;
  #bytes = 0;
  #since: number;
  #best = 0; // bytes per millisecond before the last step
  #isTrying = false;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.#since = now();
  }

  /** How many parts may be under way. */
  get limit(): number {
    return this.#limit;
  }

  /** Note bytes that went out; `isFull` says whether as many parts as allowed were under way. */
  sent(bytes: number, isFull: boolean): void {
    this.#bytes += bytes;
    const passed = this.now() - this.#since;
    if (passed < LOOKED_AT_EVERY) return;
    const rate = this.#bytes / passed;
    this.#begin();
    if (!isFull) return;
    if (this.#isTrying && rate < this.#best * WORTH_IT) {
      this.#limit = Math.max(FEWEST, this.#limit - 1);
      this.#isTrying = false;
    } else if (this.#limit < MOST) {
      this.#limit += 1;
      this.#isTrying = true;
    }
    this.#best = rate;
  }

  /** Note that a part failed for want of room on the line or at the server. */
  struck(): void {
    this.#limit = Math.max(FEWEST, this.#limit >> 1);
    this.#isTrying = false;
    this.#best = 0;
    this.#begin();
  }

  #begin(): void {
    this.#since = this.now();
    this.#bytes = 0;
  }
}
