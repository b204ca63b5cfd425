/** What tests say to a server, and through which line. */

import { inject, test } from "vitest";
import {
  Delivery,
  fetched,
  type Api,
  type DeliveryFile,
  type DeliveryState,
  type Found,
  type Project,
  type Receipt,
  type Refusal,
} from "../src/index";
import { sizeOf } from "../src/transport";
import type { Options } from "../src/delivery";

/** A test that needs a server. */
export const served = test.skipIf(inject("server") === null);

class Refused extends Error implements Refusal {
  constructor(
    readonly status: number,
    readonly problem: { code: string; detail: string },
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail);
  }
}

/** Return the server, as a program with a token speaks to it; `url` may be a proxy's. */
export function apiAt(url = theServer().url): Api {
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    options: { signal?: AbortSignal; headers?: Record<string, string> } = {},
  ): Promise<Response> => {
    const headers = {
      Authorization: `Bearer ${theServer().token}`,
      "Content-Type": "application/json",
      ...options.headers,
    };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const signal = options.signal ? { signal: options.signal } : {};
    const answer = await fetch(url + path, { method, headers, ...sent, ...signal }).catch(
      (error: unknown) => {
        options.signal?.throwIfAborted();
        throw new Refused(0, { code: "unreachable", detail: String(error) });
      },
    );
    if (answer.ok) return answer;
    const seconds = Number(answer.headers.get("Retry-After") ?? Number.NaN);
    const problem = (await answer.json()) as Refused["problem"];
    throw new Refused(answer.status, problem, Number.isFinite(seconds) ? seconds : null);
  };
  return {
    call: async <T>(...[method, path, body, options]: Parameters<Api["call"]>) => {
      const answer = await ask(method, path, body, options);
      return (answer.status === 204 ? undefined : await answer.json()) as T; // the server's shapes
    },
    stream: (path, options) => ask("GET", path, undefined, options),
  };
}

export function theServer(): { url: string; token: string } {
  const server = inject("server");
  if (server === null) throw new Error("there is no server");
  return server;
}

let codes = 0;

/** Return a project that nothing was delivered to. */
export function newProject(): Promise<Project> {
  codes += 1;
  return apiAt().call<Project>("POST", "/v1/projects", {
    code: `T-${process.pid}-${Date.now()}-${codes}`,
  });
}

/** Return files of these contents by path, as they are found in a folder. */
export function folder(contents: Record<string, string | Uint8Array<ArrayBuffer>>): Found[] {
  return Object.entries(contents).map(([path, content]) => ({
    path,
    file: new File([content], path.split("/").at(-1) ?? path, { lastModified: 1_700_000_000_000 }),
  }));
}

/** Return so many bytes that no other test sends. */
export function noise(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let start = 0; start < size; start += 65_536) {
    crypto.getRandomValues(bytes.subarray(start, Math.min(start + 65_536, size)));
  }
  return bytes;
}

/** Return a delivery that goes through a line; `sent` counts the bytes of bodies it sent. */
export function deliveryOf(
  project: Project,
  files: readonly Found[],
  { url = theServer().url, ...more }: Partial<Options> & { url?: string } = {},
): { delivery: Delivery; sent: () => number } {
  let sent = 0;
  const delivery = new Delivery({
    api: apiAt(url),
    projectId: project.id,
    files,
    transport: async (path, options) => {
      const put = await fetched(url + path, options);
      if (put.status === 200 || put.status === 201 || put.status === 204)
        sent += sizeOf(options.body);
      return put;
    },
    ...more,
  });
  return { delivery, sent: () => sent };
}

/** Return the states that a delivery shows from now on, as they come. */
export function recorded(delivery: Delivery): DeliveryState[] {
  const states: DeliveryState[] = [];
  delivery.subscribe((state) => states.push(state));
  return states;
}

/** Return once a delivery is in a state that satisfies a claim. */
export function until(
  delivery: Delivery,
  claim: (state: DeliveryState) => boolean,
): Promise<DeliveryState> {
  return new Promise((resolve) => {
    const stop = delivery.subscribe((state) => {
      if (!claim(state)) return;
      queueMicrotask(() => stop());
      resolve(state);
    });
  });
}

export function byPath(delivery: Delivery): Record<string, DeliveryFile> {
  return Object.fromEntries(delivery.files.map((file) => [file.path, file]));
}

/** Return what the server says became of every file, by path. */
export async function receipt(batchId: string | null): Promise<Record<string, string>> {
  const found = await apiAt().call<Receipt>("GET", `/v1/batches/${batchId}/receipt`);
  return Object.fromEntries(found.rows.map((row) => [row.path, row.reason ?? row.state]));
}
