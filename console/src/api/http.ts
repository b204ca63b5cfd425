/** The one place that calls the server. */

import type { Api, Problem } from "@laydown/upload";

/** An answer that is none we wanted, or none at all (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly retryAfter: number | null = null, // seconds
  ) {
    super(problem.detail);
    this.name = "ApiError";
  }
}

const READING = new Set(["GET", "HEAD"]);

export class Http implements Api {
  /** What the session's page sends along with whatever changes something. */
  csrf: string | null = null;
  /** Told when the server doesn't know this session any more. */
  onSignedOut: () => void = () => undefined;

  /** Return what the server answers, decoded; raise `ApiError` for anything but success. */
  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    options: { signal?: AbortSignal; headers?: Record<string, string> } = {},
  ): Promise<T> {
    const response = await this.#asked(method, path, body, options.signal, options.headers);
    if (response.status === 204) return undefined as T; // T is void where nothing is answered
    return (await response.json()) as T; // the server's shapes are T's by the generated schema
  }

  /** Return an answer that is read as it comes. */
  stream(
    path: string,
    options: { signal?: AbortSignal; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    return this.#asked("GET", path, undefined, options.signal, options.headers);
  }

  get<T>(path: string, options: { signal?: AbortSignal } = {}): Promise<T> {
    return this.call<T>("GET", path, undefined, options);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.call<T>("POST", path, body);
  }

  delete(path: string): Promise<void> {
    return this.call<void>("DELETE", path);
  }

  async #asked(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
    more: Record<string, string> = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json", ...more };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (!READING.has(method) && this.csrf !== null) headers["X-CSRF-Token"] = this.csrf;
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers,
        credentials: "same-origin",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, problemOf(0, "unreachable", "The server can't be reached."));
    }
    if (!response.ok) throw await this.#refusal(response);
    return response;
  }

  async #refusal(response: Response): Promise<ApiError> {
    if (response.status === 401) this.onSignedOut();
    const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
    const problem = await response
      .json()
      .then((said: unknown) => (isProblem(said) ? said : null))
      .catch(() => null);
    const plain = problemOf(response.status, "http", `The server answered ${response.status}.`);
    return new ApiError(
      response.status,
      problem ?? plain,
      Number.isFinite(seconds) ? seconds : null,
    );
  }
}

function isProblem(said: unknown): said is Problem {
  return typeof said === "object" && said !== null && "code" in said && "detail" in said;
}

function problemOf(status: number, code: string, detail: string): Problem {
  return { type: "about:blank", title: detail, status, detail, code };
}

export const api = new Http();
