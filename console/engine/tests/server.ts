/** A real laydown for all tests, in a directory of its own, stopped when they are done. */

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

const PROGRAM = join(import.meta.dirname, "../../../.venv/bin/laydown");
const PATIENCE = 60_000; // milliseconds until it serves; a first start makes a database

export type Server = { url: string; token: string };

declare module "vitest" {
  interface ProvidedContext {
    server: Server | null; // null: there is none to be had, and the tests that need it are skipped
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  if (!existsSync(PROGRAM)) {
    if (process.env["CI"] === "true") throw new Error(`there is no ${PROGRAM}: run 'make setup'`);
    return project.provide("server", null);
  }
  const data = mkdtempSync(join(tmpdir(), "laydown-engine-"));
  const port = await freePort();
  const child = spawn(PROGRAM, ["up", "--data", data, "--port", String(port)], { stdio: "ignore" });
  project.provide("server", await connected(child, join(data, "connection.json")));
  return async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
}

async function connected(child: ChildProcess, path: string): Promise<Server> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`laydown ended with ${child.exitCode}`);
    if (existsSync(path)) {
      // Written by laydown, whole or not at all.
      const { url, token } = JSON.parse(readFileSync(path, "utf8")) as Server;
      if (
        await fetch(`${url}/readyz`).then(
          (answer) => answer.ok,
          () => false,
        )
      )
        return { url, token };
    }
    if (Date.now() > deadline) throw new Error("laydown did not start in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
