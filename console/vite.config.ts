import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds the API; the built page is served by the API itself. */
const API = "http://127.0.0.1:8383";

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "../src/laydown/console",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy of the page allows no data: URLs
    target: "es2022",
  },
  worker: { format: "es" },
  test: {
    globalSetup: ["engine/tests/server.ts"],
    include: ["engine/tests/*.test.ts", "tests/*.test.ts"],
    testTimeout: 60_000, // milliseconds; what is awaited takes seconds on a quiet machine
  },
  server: { proxy: { "/v1": API, "/signin": API, "/bytes": API } },
});
