import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** Where `npm run dev` finds the API; the built page is served by the API itself. */
const API = "http://127.0.0.1:8765";

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "../src/laydown/console",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy of the page allows no data: URLs
    target: "es2022",
  },
  worker: { format: "es" },
  server: { proxy: { "/v1": API, "/signin": API, "/bytes": API } },
});
