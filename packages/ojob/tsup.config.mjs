import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import base from "../../tsup.base.mjs";

/** One build makes the library and the entry of its script threads: `run.ts` expects the two side by side. */
export default {
  ...base,
  entry: { index: "src/index.ts", "script-worker": "src/script/worker/main.ts" },
  dts: { entry: { index: "src/index.ts" } },
  // The package yaml is some eighty CommonJS files: read one by one they take 30 ms of each start, as a part of the bundle 5.
  noExternal: ["yaml"],
  esbuildOptions(options) {
    // Of its two builds the one for browsers is made of ES modules, of which the bundle keeps what is used.
    const folder = dirname(createRequire(import.meta.url).resolve("yaml/package.json"));
    options.alias = { yaml: join(folder, "browser/index.js") };
  },
};
