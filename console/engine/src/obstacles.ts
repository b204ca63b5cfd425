/** What can stand in the way of one part, and how often it is met before its file is left. */

import type { Put } from "./transport";

export type Obstacle =
  | "broken" // the connection
  | "later" // the server is busy, or what stands before it says so
  | "busy" // another request writes the same part: one we gave up, or another client's
  | "grant" // the URL expired before its turn, or is of an earlier attempt
  | "damaged" // other bytes arrived than were sent, or the file changed
  | "full" // the store
  | "elsewhere" // the upload takes no bytes (any more)
  | "there" // the object is there already
  | "refused"; // for another reason

/** How often one part may meet it while the server lives; otherwise never. */
export const PATIENCE: Readonly<Record<Obstacle, number>> = {
  broken: 20,
  later: 60,
  busy: 60,
  grant: 6,
  damaged: 3,
  full: 4,
  elsewhere: 1,
  there: 1,
  refused: 0,
};

const BY_CODE: Readonly<Record<string, Obstacle>> = {
  not_receiving: "elsewhere",
  conflict: "later",
  part_busy: "busy",
  checksum_mismatch: "damaged",
  wrong_length: "damaged",
  client_gone: "broken",
  store_full: "full",
  bad_signature: "grant",
};

// What S3 calls it ("Error responses" in its API reference), and what its likes do.
const BY_STORE_CODE: Readonly<Record<string, Obstacle>> = {
  AccessDenied: "grant",
  ExpiredToken: "grant",
  InvalidAccessKeyId: "grant",
  InvalidToken: "grant",
  NoSuchUpload: "grant",
  BadDigest: "damaged",
  XAmzContentChecksumMismatch: "damaged",
  IncompleteBody: "broken",
  RequestTimeout: "broken",
  ConditionalRequestConflict: "later",
  OperationAborted: "later",
  InternalError: "later",
  ServiceUnavailable: "later",
  SlowDown: "later",
  PreconditionFailed: "there",
};

const BY_STATUS: Readonly<Record<number, Obstacle>> = {
  0: "broken",
  403: "grant",
  408: "broken",
  412: "there",
  425: "later",
  429: "later",
  500: "later",
  502: "later",
  503: "later",
  504: "later",
  507: "full",
};

/** Return what an unsuccessful answer to a PUT means. */
export function obstacleIn(put: Put): Obstacle {
  const code = problemIn(put.body)?.code;
  const stored = /<Code>\s*([A-Za-z0-9._-]{1,64})\s*<\/Code>/.exec(put.body)?.[1];
  return (
    (code === undefined ? undefined : BY_CODE[code]) ??
    (stored === undefined ? undefined : BY_STORE_CODE[stored]) ??
    BY_STATUS[put.status] ??
    "refused"
  );
}

/** Return the sentence in an unsuccessful answer. */
export function sentenceIn(put: Put): string {
  if (put.status === 0) return "the connection broke each time it was sent";
  const message = /<Message>([^<]{0,300})/.exec(put.body)?.[1];
  return problemIn(put.body)?.detail ?? message ?? `the server answered ${put.status}`;
}

function problemIn(body: string): { code?: string; detail?: string } | null {
  try {
    const said: unknown = JSON.parse(body);
    return typeof said === "object" && said !== null ? said : null;
  } catch {
    return null;
  }
}
