/** The trace of a delivery (W3C Trace Context): all its requests say the same to the server. */

import type { Api } from "./types";

/** Return the same server, asked within one new trace. What goes to a store says nothing of it. */
export function traced(api: Api): Api {
  const trace = digits(16);
  const traceparent = (): string => `00-${trace}-${digits(8)}-01`;
  return {
    call: <T>(...[method, path, body, options]: Parameters<Api["call"]>) =>
      api.call<T>(method, path, body, {
        ...options,
        headers: { ...options?.headers, traceparent: traceparent() },
      }),
    stream: (path, options) =>
      api.stream(path, {
        ...options,
        headers: { ...options?.headers, traceparent: traceparent() },
      }),
  };
}

/** Return so many random bytes as hexadecimal digits. */
function digits(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
