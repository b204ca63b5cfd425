/**
 * The delivery of this tab: read, looked at, sent. It outlives the page that shows it, so that
 * people may look elsewhere while it is sent; a tab has one at a time.
 */

import {
  Delivery,
  MOST_FILES,
  type Amount,
  type Batch,
  type DeliveryFile,
  type DeliveryState,
  type Found,
  type OnConflict,
  type Unreadable,
} from "@laydown/upload";
import { api } from "../api/http";
import { router } from "../router.svelte";
import { words } from "../words/en";
import { gather, topsOf, type Gathered } from "./gather";
import { forget, remember } from "./memory";
import { expectedOf } from "./rows";

/** Where files go: to a project, or with those of a delivery that began there. */
export type Target = { project: string; batch: Batch | null };

export type Step =
  | "none"
  | "reading" // what was dropped is being listed
  | "review" // people see what it will be
  | "sending"
  | "over"; // sent, cancelled or failed

const OVER = new Set(["done", "cancelled", "failed"]);
const LISTS_EVERY = 250; // milliseconds between updates of what goes through all files

class Current {
  target = $state.raw<Target | null>(null);
  now = $state.raw<DeliveryState | null>(null);
  /** Grows when files changed, four times a second at most. */
  changed = $state(0);
  /** How many files were found so far; null while nothing is being read. */
  read = $state<number | null>(null);
  /** Why what was dropped last can't be delivered. */
  refusal = $state.raw<{ at: Target; says: string } | null>(null);
  label = $state("");
  onConflict = $state<OnConflict>("new_version");
  #delivery = $state.raw<Delivery | null>(null);
  #isAsked = $state(false);
  #gathered: Gathered | null = null;
  #unsubscribe: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #turn = 0;

  readonly step: Step = $derived.by(() => {
    if (this.read !== null) return "reading";
    if (this.#delivery === null || this.now === null) return "none";
    if (!this.#isAsked) return "review";
    return OVER.has(this.now.phase) ? "over" : "sending";
  });

  /** What will be sent in all, as far as anybody knows. */
  readonly expected: Amount = $derived.by(() => {
    void this.changed;
    return expectedOf(this.now?.toSend ?? { count: 0, bytes: 0 }, this.files);
  });

  /** All files, at their places; look at `changed` to be told of changes. */
  get files(): readonly DeliveryFile[] {
    return this.#delivery?.files ?? [];
  }

  /** Whether the files are to be sent: decided, though perhaps not begun. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Say whether this tab is sending a batch right now. */
  isSending(batch: string): boolean {
    return this.step === "sending" && this.now?.batchId === batch;
  }

  /** What the delivery is called. */
  get name(): string {
    return this.label.trim() || words.deliver.unnamed;
  }

  /** Read what was dropped or picked, then show what would become of it. */
  async take(source: AsyncGenerator<Found[], Unreadable[]>, target: Target): Promise<void> {
    this.refusal = null;
    if (this.step === "sending") {
      this.refusal = { at: target, says: words.deliver.busy(this.name) };
      return;
    }
    this.discard();
    const turn = this.#turn;
    this.target = target;
    this.read = 0;
    const gathered = await gather(source, (files) => {
      if (turn === this.#turn) this.read = files;
      return turn === this.#turn;
    });
    if (turn !== this.#turn) return;
    this.read = null;
    const says = refusalOf(gathered);
    if (says !== null) {
      this.discard();
      this.refusal = { at: target, says };
      return;
    }
    this.#gathered = gathered;
    this.label = target.batch?.label ?? words.deliver.labelOf(topsOf(gathered.found));
    this.onConflict = target.batch?.on_conflict ?? "new_version";
    this.look();
  }

  /** Look anew at what would become of the files, by the choices as they are now. */
  look(): void {
    if (this.#gathered === null) return;
    this.#begin(this.#gathered);
    void this.#delivery?.preview();
  }

  /** Forget the files, read or unsent; what is at the server stays there. */
  discard(): void {
    this.#turn += 1;
    this.#drop();
    this.#gathered = null;
    this.read = null;
    this.target = null;
    this.refusal = null;
  }

  /** Send what was looked at. */
  send(): void {
    if (this.#delivery === null) return;
    this.#isAsked = true;
    void this.#delivery.send();
  }

  pause(): void {
    this.#delivery?.pause();
  }

  resume(): void {
    this.#delivery?.resume();
  }

  /** Take back what has not arrived. */
  async cancel(): Promise<void> {
    await this.#delivery?.cancel();
  }

  #begin({ found, unreadable }: Gathered): void {
    this.#drop();
    if (this.target === null) return;
    const { project, batch } = this.target;
    const label = (): string => this.label.trim();
    this.#delivery = new Delivery({
      api,
      projectId: project,
      files: found,
      unreadable,
      onConflict: this.onConflict,
      ...(batch === null ? {} : { batchId: batch.id }),
      get label() {
        return label(); // as it reads when the files are sent, not now
      },
    });
    this.#unsubscribe = this.#delivery.subscribe((state) => this.#show(state));
  }

  #drop(): void {
    this.#unsubscribe();
    this.#unsubscribe = () => undefined;
    this.#delivery?.stop();
    this.#delivery = null;
    this.#isAsked = false;
    this.now = null;
  }

  #show(state: DeliveryState): void {
    const before = this.now;
    this.now = state;
    if (state.changed !== before?.changed) this.#tick();
    if (!this.#isAsked || state.batchId === null || this.target === null) return;
    const { project } = this.target;
    if (before?.batchId !== state.batchId) {
      remember({ batch: state.batchId, project });
      follow(project, state.batchId);
    }
    if (state.phase === "done" || state.phase === "cancelled") forget(state.batchId);
  }

  #tick(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.changed += 1;
    }, LISTS_EVERY);
  }
}

function refusalOf({ found, unreadable, isTooMany }: Gathered): string | null {
  if (isTooMany) return words.deliver.tooMany(MOST_FILES);
  if (found.length > 0) return null;
  if (unreadable.length > 0) return words.deliver.emptyUnreadable(unreadable.length);
  return words.deliver.empty;
}

/** Go to the delivery's own page from the page where it was made; leave people alone elsewhere. */
function follow(project: string, batch: string): void {
  const { route } = router;
  if (route.name !== "project" || route.view !== "deliver" || route.project !== project) return;
  router.go(`/deliveries/${batch}`);
}

export const current = new Current();
