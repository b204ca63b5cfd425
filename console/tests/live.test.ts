import type { Batch, Change, Upload } from "@laydown/upload";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveBatch } from "../src/watch/live.svelte";
import { AT, batchOf } from "./batches";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let live: LiveBatch;
let streams: Answer[]; // how the next streams go; the last one again and again
let asked: (string | undefined)[]; // the number that each stream was to go on from
let rows: { items: Upload[]; number: number };

beforeEach(async () => {
  [streams, asked, rows] = [[], [], { items: [], number: 0 }];
  server = createServer((request, response) => {
    if (!request.url?.includes("/events")) return void response.end(JSON.stringify(rows));
    asked.push(request.headers["last-event-id"]?.toString());
    const stream = streams.length > 1 ? streams.shift() : streams[0];
    stream?.(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo; // what a server that listens on TCP has
  const reach = globalThis.fetch;
  // A page knows where it came from, and frames; Node knows neither.
  vi.stubGlobal("fetch", (path: string, init: RequestInit) =>
    reach(`http://127.0.0.1:${port}${path}`, init),
  );
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => setTimeout(draw));
  vi.stubGlobal("cancelAnimationFrame", clearTimeout);
  for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"] as const)
    vi.stubGlobal(name, page[name].bind(page));
  live = new LiveBatch("b");
});

const page = new EventTarget();

afterEach(() => {
  live.stop();
  server.closeAllConnections();
  server.close();
  vi.unstubAllGlobals();
});

function frame(name: string, data: Batch | Change, id?: number): string {
  const number = id === undefined ? "" : `id: ${id}\n`;
  return `event: ${name}\n${number}data: ${JSON.stringify(data)}\n\n`;
}

function uploadOf(state: Upload["state"]): Upload {
  const names = { id: "f", batch_id: "b", key: "f", path: "plan.pdf" };
  const times = { declared_at: AT, moved_at: AT };
  return { ...names, ...times, size: 10, state, attempt: 1, received_bytes: 0 };
}

function changeOf(number: number, state: Upload["state"]): Change {
  return { number, kind: "moved", at: AT, upload_id: "f", key: "f", path: "plan.pdf", state };
}

function showing(state: Upload["state"]): Promise<void> {
  return vi.waitFor(() => expect(live.rows[0]?.state).toBe(state), 5_000);
}

const declared = { count: 1, bytes: 10 };

test("a batch is followed through a broken line to its end, from where it broke", async () => {
  rows = { items: [uploadOf("declared")], number: 4 };
  const seen: string[] = [];
  streams = [
    (_, response) => {
      response.write(frame("snapshot", batchOf(4, { declared, counts: { declared: 1 } }), 4));
      response.write(frame("change", changeOf(5, "checking"), 5));
      void showing("checking").then(() => response.destroy());
    },
    (_, response) => {
      seen.push(live.connection.kind);
      response.write(frame("change", changeOf(5, "checking"), 5));
      response.write(frame("change", changeOf(6, "ready"), 6));
      const end = { declared, counts: { ready: 1 }, settled: declared, received_bytes: 10 };
      response.end(frame("closed", batchOf(6, { ...end, state: "settled" })));
    },
  ];
  live.start();
  await vi.waitFor(() => expect(live.connection.kind).toBe("over"), 5_000);
  await vi.waitFor(() => expect(live.isWhole).toBe(true), 5_000);
  expect(asked).toEqual([undefined, "5"]);
  expect(seen).toEqual(["broken"]);
  expect(live.rows.map((row) => [row.state, row.number])).toEqual([["ready", 6]]);
  expect(live.batch?.counts).toEqual({ ready: 1 });
});

test("what is not there, or not ours to see, is said once and not asked for again", async () => {
  streams = [
    (_, response) => {
      response.writeHead(404, { "Content-Type": "application/problem+json" });
      response.end(JSON.stringify({ code: "not_found", detail: "There is no such batch." }));
    },
  ];
  live.start();
  await vi.waitFor(() => expect(live.error?.status).toBe(404), 5_000);
  expect(asked).toHaveLength(1);
});

test("a server that is busy is asked again, and nothing is shown as fresh meanwhile", async () => {
  streams = [
    (_, response) => {
      response.writeHead(503, { "Retry-After": "0" });
      response.end();
    },
    (_, response) => {
      expect(live.connection.kind).toBe("broken");
      response.write(frame("snapshot", batchOf(1), 1));
    },
  ];
  live.start();
  await vi.waitFor(() => expect(live.connection.kind).toBe("live"), 5_000);
  expect(live.error).toBeNull();
});

test("a server put back to an earlier state is believed", async () => {
  rows = { items: [uploadOf("ready")], number: 9 };
  streams = [
    (_, response) => {
      response.write(frame("snapshot", batchOf(9, { declared, counts: { ready: 1 } }), 9));
      void showing("ready").then(() => {
        rows = { items: [uploadOf("declared")], number: 2 };
        response.destroy();
      });
    },
    (_, response) => {
      response.write(frame("snapshot", batchOf(2, { declared, counts: { declared: 1 } }), 2));
    },
  ];
  live.start();
  await showing("declared");
  expect(live.batch?.counts).toEqual({ declared: 1 });
  expect(asked).toEqual([undefined, "9"]);
});
