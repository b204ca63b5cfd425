/** What the reasons beside a file mean, and what to do about each; asked for once. */

import type { Reasons, ReasonText } from "@laydown/upload";
import { api, ApiError } from "./http";

class Catalogue {
  #texts = $state.raw<ReadonlyMap<string, ReasonText>>(new Map());
  #asked: Promise<void> | null = null;

  /** Fetch the catalogue unless it is here; what fails is asked again by the next one to need it. */
  load(): Promise<void> {
    this.#asked ??= this.#fetch();
    return this.#asked;
  }

  /** Return what a code means; null for none, an unknown one, and before the catalogue is here. */
  of(code: string | null | undefined): ReasonText | null {
    return code ? (this.#texts.get(code) ?? null) : null;
  }

  /** Return all reasons, in the server's order. */
  get all(): ReasonText[] {
    return [...this.#texts.values()];
  }

  async #fetch(): Promise<void> {
    try {
      const { items } = await api.get<Reasons>("/v1/reasons");
      this.#texts = new Map(items.map((reason) => [reason.code, reason]));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#asked = null;
    }
  }
}

export const reasons = new Catalogue();
