/** The pieces of the engine that need no server. */

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { pause } from "../src/backoff";
import { later } from "../src/board";
import { digest, WHOLE_UP_TO } from "../src/digest";
import { eventOf, Frames } from "../src/events";
import { obstacleIn } from "../src/obstacles";
import { Pace } from "../src/pace";
import { Rate } from "../src/rate";
import type { Batch } from "../src/schema.gen";
import { Going } from "../src/sending";
import { traced } from "../src/trace";
import type { Api } from "../src/types";
import { picked, walk } from "../src/walk";

describe("digest", () => {
  test.each([0, 1, 1_000_000, WHOLE_UP_TO + 1])("of %i bytes is SHA-256", async (size) => {
    const bytes = new Uint8Array(size).fill(7);
    const expected = createHash("sha256").update(bytes).digest("hex");
    expect(await digest(new Blob([bytes]))).toBe(expected);
  });
});

describe("traced", () => {
  test("gives all requests of a delivery one trace, and each a place of its own", async () => {
    const seen: string[] = [];
    const note: Api["stream"] = async (_path, options) => {
      seen.push(options?.headers?.["traceparent"] ?? "");
      return new Response();
    };
    const [one, other] = [
      traced({ call: expect.fail, stream: note }),
      traced({ call: expect.fail, stream: note }),
    ];
    await one.stream("/a");
    await one.stream("/b");
    await other.stream("/a");

    const [first, second, third] = seen.map((said) =>
      /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(said),
    );
    expect(second?.[1]).toBe(first?.[1]);
    expect(second?.[2]).not.toBe(first?.[2]);
    expect(third?.[1]).not.toBe(first?.[1]);
  });
});

describe("Frames", () => {
  const stream =
    "retry: 2000\n\nevent: change\nid: 7\ndata: {\ndata: }\n\n: still here\n\nevent: closed\ndata: 1\n\nid: 9";

  test("are the same however the stream is cut", () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const parser = new Frames();
      const frames = [...parser.feed(stream.slice(0, cut)), ...parser.feed(stream.slice(cut))];
      expect(frames).toEqual([
        { event: "change", id: "7", data: "{\n}" },
        { event: "closed", id: "", data: "1" },
      ]);
    }
  });

  test("of a kind that nobody knows are passed over", () => {
    expect(eventOf({ event: "later", id: "1", data: "{}" })).toBeNull();
  });
});

describe("Rate", () => {
  test("says nothing before it means anything, then bytes per second", () => {
    let now = 0;
    const rate = new Rate(() => now);
    rate.add(500);
    expect(rate.bytesPerSecond).toBeNull();
    for (let second = 1; second <= 20; second += 1) {
      now = second * 1_000;
      rate.add(1_000);
    }
    expect(rate.bytesPerSecond).toBe(1_000);
    expect(rate.secondsFor(5_000)).toBe(5);
  });

  test("forgets what was before a sleep", () => {
    let now = 0;
    const rate = new Rate(() => now);
    for (now = 0; now <= 5_000; now += 1_000) rate.add(1_000);
    now += 3_600_000;
    expect(rate.bytesPerSecond).toBeNull();
  });
});

describe("Pace", () => {
  test("grows while that brings more, and halves when the line complains", () => {
    let now = 0;
    const pace = new Pace(() => now);
    const begun = pace.limit;
    for (let look = 1; look <= 4; look += 1) {
      now += 2_000;
      pace.sent(1_000_000 * look, true);
    }
    expect(pace.limit).toBe(begun + 4);
    pace.struck();
    expect(pace.limit).toBe((begun + 4) >> 1);
  });

  test("takes a step back that brought nothing, and stays within its bounds", () => {
    let now = 0;
    const pace = new Pace(() => now);
    for (let look = 0; look < 100; look += 1) {
      now += 2_000;
      pace.sent(1_000_000, true);
      expect(pace.limit).toBeLessThanOrEqual(16);
    }
    for (let strike = 0; strike < 10; strike += 1) pace.struck();
    expect(pace.limit).toBe(2);
  });
});

test("a pause grows with each attempt and has an end", () => {
  const longest = [0, 1, 2, 3, 50].map((attempt) => pause(attempt, () => 1));
  expect(longest).toEqual([250, 500, 1_000, 2_000, 10_000]);
});

test.each([
  [0, "", "broken"],
  [403, '{"code":"bad_signature","detail":""}', "grant"],
  [403, "<Error><Code>AccessDenied</Code></Error>", "grant"],
  [409, '{"code":"not_receiving","detail":""}', "elsewhere"],
  [409, '{"code":"part_busy","detail":""}', "busy"],
  [503, "<html>", "later"],
  [507, '{"code":"store_full","detail":""}', "full"],
  [400, '{"code":"checksum_mismatch","detail":""}', "damaged"],
  [418, "", "refused"],
])("an answer of %i with %s is an obstacle of the kind %s", (status, body, kind) => {
  expect(obstacleIn({ status, body, retryAfter: null })).toBe(kind);
});

test("the parts of a file are all of it, each once", async () => {
  const bytes = Uint8Array.from({ length: 25 }, (_, n) => n);
  const plan = { kind: "multipart" as const, part_size: 10, parts: 3, concurrency: 2 };
  const going = new Going(0, "id", new File([bytes], "f"), plan, true);
  const parts = await Promise.all(going.todo.map((number) => going.part(number).arrayBuffer()));
  expect(new Uint8Array(await new Blob(parts).arrayBuffer())).toEqual(bytes);
  const resumed = new Going(0, "id", new File([bytes], "f"), plan, false);
  resumed.learn([2]);
  expect([resumed.todo, resumed.sentBytes]).toEqual([[1, 3], 10]);
});

test("of two answers about a batch the later one counts, whichever comes last", () => {
  const at = (settled: number, state: Batch["state"] = "open"): Batch => ({
    id: "b",
    project_id: "p",
    reference: "r",
    label: null,
    on_conflict: "new_version",
    state,
    created_at: "",
    closed_at: null,
    declared: { count: 9, bytes: 9 },
    counts: {},
    reasons: {},
    settled: { count: settled, bytes: settled },
    received_bytes: settled,
  });
  expect(later(at(5), at(3)).settled.count).toBe(5);
  expect(later(at(3), at(5)).settled.count).toBe(5);
  expect(later(null, at(1)).settled.count).toBe(1);
});

describe("walk", () => {
  const file = (name: string, content = "x") => ({
    name,
    isFile: true,
    isDirectory: false,
    file: (found: (file: File) => void) => found(new File([content], name)),
  });
  const lost = {
    ...file("lost.txt"),
    file: (_: unknown, failed: (error: Error) => void) =>
      failed(Object.assign(new Error("no"), { name: "NotReadableError" })),
  };
  const directory = (name: string, children: object[]) => ({
    name,
    isFile: false,
    isDirectory: true,
    createReader: () => {
      const left = [...children];
      return { readEntries: (found: (some: object[]) => void) => found(left.splice(0, 100)) };
    },
  });

  test("finds every file below what was dropped, and says what it can't read", async () => {
    const many = Array.from({ length: 1_234 }, (_, n) => file(`${n}.txt`));
    const dropped = [directory("F", [directory("G", many), lost, file("a.txt")]), file("b.txt")];
    const walking = walk(dropped as unknown as FileSystemEntry[]); // all of an entry that is used
    const paths: string[] = [];
    let next = await walking.next();
    for (; !next.done; next = await walking.next()) {
      expect(next.value.length).toBeLessThanOrEqual(500);
      paths.push(...next.value.map((found) => found.path));
    }
    expect(new Set(paths)).toEqual(
      new Set(["b.txt", "F/a.txt", ...many.map(({ name }) => `F/G/${name}`)]),
    );
    expect(next.value.map(({ path }) => path)).toEqual(["F/lost.txt"]);
  });

  test("writes names in one way, however the system does", async () => {
    const groups = picked([new File(["x"], "Gru\u0308n.txt")]);
    const first = await groups.next();
    expect(first.done ? null : first.value[0]?.path).toBe("Gr\u00fcn.txt");
  });
});
