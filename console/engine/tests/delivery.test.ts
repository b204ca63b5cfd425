/** Deliveries to a real server, over good lines and bad ones. */

import { afterEach, beforeEach, describe, expect } from "vitest";
import { Proxy } from "./proxy";
import {
  apiAt,
  byPath,
  deliveryOf,
  folder,
  newProject,
  noise,
  receipt,
  recorded,
  served,
  theServer,
  until,
} from "./talk";

const LARGE = 20_000_000; // bytes: several parts

describe("a folder", () => {
  served(
    "is foreseen, delivered, and every file's end is known and equals the receipt",
    async () => {
      const project = await newProject();
      const files = folder({
        "Tower/a.txt": "first",
        "Tower/copy of a.txt": "first",
        "Tower/empty.txt": "",
        "Tower/Thumbs.db": "x",
        "Tower/setup.exe": "MZ",
        "Tower/model.bin": noise(LARGE),
      });
      const { delivery, sent } = deliveryOf(project, files, { label: "Tower" });
      await delivery.preview();
      const outlooks = Object.fromEntries(
        delivery.files.map(({ path, outlook }) => [path, outlook]),
      );
      expect(outlooks).toEqual({
        "Tower/a.txt": "new",
        "Tower/copy of a.txt": "new",
        "Tower/empty.txt": "refused",
        "Tower/Thumbs.db": "skipped",
        "Tower/setup.exe": "refused",
        "Tower/model.bin": "new",
      });
      const end = await delivery.send();
      expect([end.phase, end.trouble, end.left]).toEqual(["done", null, 0]);
      const rows = await receipt(end.batchId);
      expect(rows).toEqual({
        "Tower/a.txt": "ready",
        "Tower/copy of a.txt": "duplicate_in_batch",
        "Tower/empty.txt": "empty_file",
        "Tower/Thumbs.db": "system_junk",
        "Tower/setup.exe": "type_not_allowed",
        "Tower/model.bin": "ready",
      });
      for (const file of delivery.files) expect(file.reason ?? file.state).toBe(rows[file.path]);
      expect(end.batch?.label).toBe("Tower");
      expect(sent()).toBe(LARGE + "first".length);
    },
  );

  served("that is delivered again sends nothing, and is foreseen as here already", async () => {
    const project = await newProject();
    const files = folder({ "F/a.txt": "one", "F/b.txt": "two" });
    await deliveryOf(project, files).delivery.send();
    const { delivery, sent } = deliveryOf(project, files);
    await delivery.preview();
    await until(delivery, (state) => state.outlooks.present.count === 2);
    const end = await delivery.send();
    expect(sent()).toBe(0);
    expect(await receipt(end.batchId)).toEqual({ "F/a.txt": "unchanged", "F/b.txt": "unchanged" });
  });

  served("with a changed file becomes a new version of that one alone", async () => {
    const project = await newProject();
    await deliveryOf(project, folder({ "F/a.txt": "one", "F/b.txt": "two" })).delivery.send();
    const { delivery, sent } = deliveryOf(
      project,
      folder({ "F/a.txt": "one", "F/b.txt": "three" }),
    );
    await delivery.preview();
    await until(delivery, (state) => state.outlooks.new_version.count === 1);
    const end = await delivery.send();
    expect(sent()).toBe("three".length);
    expect(await receipt(end.batchId)).toEqual({ "F/a.txt": "unchanged", "F/b.txt": "ready" });
  });

  served("whose file can't be read is delivered without it, and says so", async () => {
    const project = await newProject();
    const files = folder({ "F/a.txt": "beside what is gone", "F/gone.txt": "two" });
    const gone = files[1]?.file;
    const missing = Object.assign(new Error("gone"), { name: "NotFoundError" });
    Object.defineProperty(gone, "arrayBuffer", { value: () => Promise.reject(missing) });
    const { delivery } = deliveryOf(project, files);
    const end = await delivery.send();
    expect([end.phase, end.left]).toEqual(["done", 1]);
    expect(byPath(delivery)["F/gone.txt"]?.trouble).toBe("it was moved or deleted");
    expect(await receipt(end.batchId)).toEqual({ "F/a.txt": "ready" });
  });

  served("of nothing that is taken ends without a byte sent", async () => {
    const { delivery, sent } = deliveryOf(await newProject(), folder({ "F/.DS_Store": "x" }));
    const end = await delivery.send();
    expect([end.phase, end.batch?.state, sent()]).toEqual(["done", "settled", 0]);
  });
});

describe("a delivery", () => {
  served("that was stopped is gone on with: what arrived is not sent again", async () => {
    const project = await newProject();
    const files = folder(
      Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`F/${n}.bin`, noise(100_000)])),
    );
    const first = deliveryOf(project, files);
    const halfway = until(first.delivery, (state) => state.sent.count >= 20);
    void first.delivery.send();
    await halfway;
    first.delivery.stop();
    const second = deliveryOf(project, files);
    const end = await second.delivery.send();
    expect(end.batchId).toBe(first.delivery.state.batchId);
    expect(Object.values(await receipt(end.batchId))).toEqual(Array(60).fill("ready"));
    expect(second.sent()).toBeLessThanOrEqual(40 * 100_000);
  });

  served("that is paused sends nothing until it goes on", async () => {
    const project = await newProject();
    const files = folder(
      Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`F/${n}.bin`, noise(200_000)])),
    );
    const { delivery, sent } = deliveryOf(project, files);
    const begun = until(delivery, (state) => state.sent.count >= 5);
    const ended = delivery.send();
    await begun;
    delivery.pause();
    expect(delivery.state.phase).toBe("paused");
    await until(delivery, (state) => state.phase === "paused");
    const before = sent();
    await apiAt().call("GET", "/v1/me"); // a round trip: what was under way has ended
    expect(sent() - before).toBeLessThanOrEqual(200_000);
    delivery.resume();
    expect((await ended).batch?.counts["ready"]).toBe(40);
  });

  served("that is cancelled takes back what has not arrived, and leaves what has", async () => {
    const project = await newProject();
    const files = folder(
      Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`F/${n}.bin`, noise(100_000)])),
    );
    const { delivery } = deliveryOf(project, files);
    const begun = until(delivery, (state) => state.sent.count >= 10);
    void delivery.send();
    await begun;
    await delivery.cancel();
    expect(delivery.state.phase).toBe("cancelled");
    const states = Object.values(await receipt(delivery.state.batchId));
    expect(states).toContain("cancelled_by_user");
    expect(states.filter((state) => state !== "cancelled_by_user").length).toBeGreaterThanOrEqual(
      10,
    );
  });

  served("names the same batch for the same folder, and another one for another", async () => {
    const project = await newProject();
    const one = await deliveryOf(project, folder({ "F/a.txt": "1" })).delivery.send();
    const two = await deliveryOf(project, folder({ "G/a.txt": "2" })).delivery.send();
    expect(one.batch?.reference).not.toBe(two.batch?.reference);
    const three = await deliveryOf(project, folder({ "F/b.txt": "3" })).delivery.send();
    expect(three.batch?.reference).toBe(one.batch?.reference);
  });
});

describe("over a line that", () => {
  let proxy: Proxy;

  beforeEach(async () => {
    proxy = await new Proxy(new URL(theServer().url)).open();
  });

  afterEach(() => proxy.close());

  served("breaks again and again, everything arrives once", async () => {
    const project = await newProject();
    const files = folder(
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`F/${n}.bin`, noise(300_000)])),
    );
    let next = 700_000;
    proxy.cutAt = (bytes) => {
      if (bytes < next || next > 4_000_000) return false;
      next = bytes + 700_000;
      return true;
    };
    const { delivery } = deliveryOf(project, files, { url: proxy.url });
    const end = await delivery.send();
    expect(next).toBeGreaterThan(4_000_000);
    expect([end.phase, end.left]).toEqual(["done", 0]);
    expect(end.batch?.counts).toEqual({ ready: 20 });
  });

  served(
    "is gone for seconds, it says offline, goes on by itself, and never counts back",
    async () => {
      const project = await newProject();
      const files = folder(
        Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`F/${n}.bin`, noise(200_000)])),
      );
      const { delivery } = deliveryOf(project, files, { url: proxy.url });
      const states = recorded(delivery);
      const begun = until(delivery, (state) => state.sent.count >= 5);
      const ended = delivery.send();
      await begun;
      proxy.isDown = true;
      proxy.cut();
      await until(delivery, (state) => state.phase === "offline");
      proxy.isDown = false;
      const end = await ended;
      expect(end.batch?.counts).toEqual({ ready: 40 });
      const settled = states.map((state) => state.settled.count);
      expect(settled).toEqual([...settled].sort((one, other) => one - other));
    },
  );

  served(
    "is gone while the server is asked what would be, the answer comes when it is back",
    async () => {
      const project = await newProject();
      proxy.isDown = true;
      const { delivery } = deliveryOf(project, folder({ "F/a.txt": "1" }), { url: proxy.url });
      const asked = delivery.preview();
      await apiAt().call("GET", "/v1/me");
      expect(delivery.state.phase).toBe("previewing");
      proxy.isDown = false;
      await asked;
      expect(delivery.state.outlooks.new.count).toBe(1);
      delivery.stop();
    },
  );
});

served("sent while it is still foreseen never goes back to waiting for that", async () => {
  const { delivery } = deliveryOf(await newProject(), folder({ "F/a.txt": "1" }));
  const asked = delivery.preview();
  const ended = delivery.send();
  await asked;
  expect(["previewing", "ready"]).not.toContain(delivery.state.phase);
  expect((await ended).phase).toBe("done");
});

served("without permission ends with the server's own words", async () => {
  const { delivery } = deliveryOf(
    { ...(await newProject()), id: crypto.randomUUID() },
    folder({ "F/a.txt": "1" }),
  );
  const end = await delivery.send();
  expect(end.phase).toBe("failed");
  expect(end.trouble).toContain("project");
});
