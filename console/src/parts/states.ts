/** The states of a file, as the page colours and orders them. */

import type { Upload } from "@laydown/upload";

export type UploadState = Upload["state"];

export type Tone = "good" | "same" | "moving" | "waiting" | "bad";

const TONES: Record<UploadState, Tone> = {
  declared: "waiting",
  receiving: "moving",
  sealing: "moving",
  checking: "moving",
  processing: "moving",
  ready: "good",
  duplicate: "same",
  skipped: "same",
  rejected: "bad",
  cancelled: "same",
  expired: "bad",
  failed: "bad",
};

/** All states, in the order in which a file goes through them. */
export const STATES = Object.keys(TONES) as UploadState[]; // the keys of a Record are its type's

export function toneOf(state: UploadState): Tone {
  return TONES[state];
}
