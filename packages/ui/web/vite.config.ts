import { defineConfig, type UserConfig } from "vite";
import { budget } from "./build/budget.js";
import { firstPaint } from "./build/first-paint.js";
import { icons } from "./build/icons.js";
import { palette } from "./build/palette.js";

/** `vite build web` writes dist/web. `npm run demo` serves a store to view the pages with. */
const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  // Addresses are relative, so that one build serves any base path.
  base: "./",
  plugins: [palette(), icons(), firstPaint(), budget()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false },
    // Inlined files would be data: addresses, which the policy of the pages forbids.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  worker: { format: "es" },
});
export default config;
