/** Getting one body across, and telling how far it is. */

const SILENCE = 60_000; // milliseconds without a byte taken, or an answer once all are

/** An answer to a PUT; `status` 0: the connection broke. */
export type Put = { status: number; body: string; retryAfter: number | null };

export type Transport = (
  url: string,
  options: {
    headers: Readonly<Record<string, string>>;
    body: Blob | ArrayBuffer;
    onProgress: (sent: number) => void; // bytes so far
    signal: AbortSignal;
  },
) => Promise<Put>;

/** Headers that browsers write themselves, and forbid us to. */
const THEIRS: ReadonlySet<string> = new Set(["content-length", "host"]);

/**
 * Send with XMLHttpRequest: the only way in which browsers tell how much of a body has gone.
 * Raises the signal's reason when that is aborted, and what reading the body raises.
 */
export const xhr: Transport = (url, { headers, body, onProgress, signal }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) {
      if (!THEIRS.has(name.toLowerCase())) request.setRequestHeader(name, value);
    }
    let timer = setTimeout(() => request.abort(), SILENCE);
    const stop = (): void => request.abort();
    const end = (put: Put | null): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else resolve(put ?? { status: 0, body: "", retryAfter: null });
    };
    request.upload.onprogress = (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), SILENCE);
      onProgress(Math.min(event.loaded, sizeOf(body)));
    };
    request.onload = () =>
      end({
        status: request.status,
        body: request.responseText,
        retryAfter: secondsOf(request.getResponseHeader("Retry-After")),
      });
    request.onerror = () => end(null);
    request.onabort = () => end(null);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) return end(null);
    request.send(body);
  });

/** Send with `fetch`, where there is no XMLHttpRequest: all or nothing is told. */
export const fetched: Transport = async (url, { headers, body, onProgress, signal }) => {
  const ours = Object.entries(headers).filter(([name]) => !THEIRS.has(name.toLowerCase()));
  try {
    const answer = await fetch(url, {
      method: "PUT",
      headers: Object.fromEntries(ours),
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(2 * SILENCE)]),
    });
    const said = await answer.text();
    onProgress(sizeOf(body));
    const retryAfter = secondsOf(answer.headers.get("Retry-After"));
    return { status: answer.status, body: said, retryAfter };
  } catch {
    signal.throwIfAborted();
    return { status: 0, body: "", retryAfter: null };
  }
};

/** Return how many bytes a body has. */
export function sizeOf(body: Blob | ArrayBuffer): number {
  return body instanceof Blob ? body.size : body.byteLength;
}

function secondsOf(header: string | null): number | null {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}
