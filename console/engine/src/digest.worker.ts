/** A thread that computes digests. */

import { digest } from "./digest";

export type Asked = { id: number; file: File };
export type Answered = { id: number; sha256: string } | { id: number; error: string; name: string };

self.onmessage = async ({ data }: MessageEvent<Asked>) => {
  let answer: Answered;
  try {
    answer = { id: data.id, sha256: await digest(data.file) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    answer = { id: data.id, error: message, name };
  }
  self.postMessage(answer);
};
