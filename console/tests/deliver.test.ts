import {
  MOST_FILES,
  type Batch,
  type DeliveryFile,
  type Found,
  type Unreadable,
} from "@laydown/upload";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { gather, topsOf } from "../src/deliver/gather";
import { forget, remember, remembered } from "../src/deliver/memory";
import { expectedOf, groupsOf, matching, tilesOf, troubled, wantedOf } from "../src/deliver/rows";
import { unfinished } from "../src/deliver/unfinished";

const NOTHING = { count: 0, bytes: 0 };

function file(index: number, change: Partial<DeliveryFile> = {}): DeliveryFile {
  return {
    index,
    path: `Tower/A-${index}.pdf`,
    size: 10,
    outlook: null,
    isExact: false,
    reason: null,
    detail: null,
    uploadId: null,
    state: null,
    stage: "waiting",
    sentBytes: 0,
    trouble: null,
    ...change,
  };
}

function found(path: string): Found {
  return { path, file: new File([], path) };
}

function batch(change: Partial<Batch>): Batch {
  return {
    id: "b1",
    project_id: "p1",
    reference: "console-1",
    label: null,
    on_conflict: "new_version",
    state: "open",
    created_at: "2026-11-23T00:00:00Z",
    closed_at: null,
    declared: { count: 3, bytes: 30 },
    counts: { ready: 3 },
    reasons: {},
    settled: { count: 3, bytes: 30 },
    received_bytes: 30,
    declared_by: "me",
    ...change,
  };
}

describe("gather", () => {
  async function* source(groups: Found[][]): AsyncGenerator<Found[], Unreadable[]> {
    yield* groups;
    return [{ path: "locked", why: "the browser may not read it" }];
  }

  it("returns all groups and what can't be read, and tells how many there are so far", async () => {
    const told: number[] = [];
    const all = await gather(source([[found("a"), found("b")], [found("c")]]), (files) => {
      told.push(files);
      return true;
    });
    expect(all.found.map(({ path }) => path)).toEqual(["a", "b", "c"]);
    expect(all.unreadable).toHaveLength(1);
    expect(told).toEqual([2, 3]);
  });

  it("stops beyond what a delivery takes", async () => {
    const many = new Array<Found>(MOST_FILES + 1).fill(found("a"));
    expect((await gather(source([many, [found("b")]]), () => true)).isTooMany).toBe(true);
  });

  it("stops when told to", async () => {
    const all = await gather(source([[found("a")], [found("b")]]), () => false);
    expect(all.found).toHaveLength(1);
    expect(all.isTooMany).toBe(false);
  });

  it("names what lies at the top", () => {
    expect(topsOf([found("Tower/x/1"), found("b.pdf"), found("Tower/2")])).toEqual([
      "Tower",
      "b.pdf",
    ]);
  });
});

describe("rows", () => {
  const files = [
    file(0, { outlook: "new", path: "Tower/Plans/A-101.PDF" }),
    file(1, { outlook: "refused", reason: "empty_file" }),
    file(2, { outlook: "refused", reason: "empty_file" }),
    file(3, { outlook: "skipped", reason: "system_junk" }),
    file(4),
  ];

  it("are not gone through while nothing narrows them", () => {
    expect(matching(files, null, "  ")).toBeNull();
  });

  it("are found by kind and by a part of the path, in either case", () => {
    expect(matching(files, "refused", "")).toEqual([1, 2]);
    expect(matching(files, "unknown", "")).toEqual([4]);
    expect(matching(files, null, "plans/a-101.pdf")).toEqual([0]);
    expect(matching(files, "refused", "plans")).toEqual([]);
  });

  it("are grouped by reason, the most frequent first", () => {
    expect(groupsOf(files, ["refused", "skipped"])).toEqual([
      { kind: "refused", reason: "empty_file", files: 2 },
      { kind: "skipped", reason: "system_junk", files: 1 },
    ]);
    expect(groupsOf(files, ["skipped"])).toHaveLength(1);
  });

  it("tell what could not be sent, up to a number", () => {
    const bad = [file(0, { trouble: "gone" }), file(1), file(2, { trouble: "gone" })];
    expect(troubled(bad, 5).map(({ index }) => index)).toEqual([0, 2]);
    expect(troubled(bad, 1)).toHaveLength(1);
  });

  it("count as expected what is wanted and what is yet to be declared", () => {
    const mixed = [
      file(0, { uploadId: "u", outlook: "new" }), // counted by the server's verdict
      file(1, { outlook: "new" }),
      file(2),
      file(3, { outlook: "present" }),
      file(4, { stage: "left" }),
    ];
    expect(expectedOf({ count: 1, bytes: 10 }, mixed)).toEqual({ count: 3, bytes: 30 });
  });
});

describe("what a delivery comes to", () => {
  const state = {
    found: { count: 10, bytes: 100 },
    outlooks: {
      new: { count: 3, bytes: 30 },
      new_version: { count: 2, bytes: 20 },
      present: { count: 1, bytes: 10 },
      skipped: NOTHING,
      refused: { count: 2, bytes: 20 },
    },
  };

  it("has a tile for each kind that occurs, and one for what nobody looked at", () => {
    expect(tilesOf(state, 4).map(({ shown, amount }) => [shown, amount.count])).toEqual([
      ["new", 3],
      ["new_version", 2],
      ["present", 1],
      ["refused", 2],
      ["unknown", 2],
      ["unreadable", 4],
    ]);
  });

  it("is sent but for what is here, junk or refused", () => {
    expect(wantedOf(state)).toEqual({ count: 7, bytes: 70 });
  });
});

describe("unfinished deliveries", () => {
  it("are open, lack files, and are the viewer's, and came from a browser", () => {
    const lacking = { counts: { declared: 1, receiving: 1, ready: 1 } };
    const batches = [
      batch({ id: "whole" }),
      batch({ id: "closed", state: "closed", ...lacking }),
      batch({ id: "pushed", reference: "push-1", ...lacking }),
      batch({ id: "under way", ...lacking }),
      batch({ id: "somebody's", declared_by: "other", ...lacking }),
      batch({ id: "lacking", ...lacking }),
    ];
    expect(
      unfinished(batches, new Set(), "under way", "me").map(({ batch: { id }, missing }) => [
        id,
        missing,
      ]),
    ).toEqual([["lacking", 2]]);
  });

  it("are first those of this browser, even when all that was declared is here", () => {
    const batches = [batch({ id: "other", counts: { declared: 1 } }), batch({ id: "ours" })];
    const all = unfinished(batches, new Set(["ours"]), null, "me");
    expect(all.map(({ batch: { id } }) => id)).toEqual(["ours", "other"]);
  });
});

describe("what this browser remembers", () => {
  let kept: Map<string, string>;

  beforeEach(() => {
    kept = new Map();
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    });
  });

  afterEach(() => vi.unstubAllGlobals());

  it("is each delivery once, the latest first, until it is forgotten", () => {
    remember({ batch: "1", project: "p" });
    remember({ batch: "2", project: "p" });
    remember({ batch: "1", project: "p" });
    expect(remembered().map((one) => one.batch)).toEqual(["1", "2"]);
    forget("1");
    expect(remembered().map((one) => one.batch)).toEqual(["2"]);
  });

  it("is nothing when the storage holds something else, or is forbidden", () => {
    kept.set("laydown.unfinished", '{"a": 1}');
    expect(remembered()).toEqual([]);
    kept.set("laydown.unfinished", "[1, {}, null]");
    expect(remembered()).toEqual([]);
    vi.stubGlobal("localStorage", {
      getItem: () => {
        throw new Error("forbidden");
      },
    });
    remember({ batch: "1", project: "p" });
    expect(remembered()).toEqual([]);
  });
});
