import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import base from "../../tsup.base.mjs";

// Once, before both builds: they go on at the same time, and one would clear away what the other has written.
rmSync(new URL("dist", import.meta.url), { recursive: true, force: true });
const common = { ...base, clean: false };

/** The library, and the entry of its script threads: `run.ts` expects the two side by side. */
export default [
  {
    ...common,
    entry: { index: "src/index.ts" },
    // The package yaml is some eighty CommonJS files: read one by one they take 30 ms of each start, as a
    // part of the bundle 5.
    noExternal: ["yaml"],
    esbuildOptions(options) {
      // Of its two builds the one for browsers is made of ES modules, of which the bundle keeps what is used.
      const folder = dirname(createRequire(import.meta.url).resolve("yaml/package.json"));
      options.alias = { yaml: join(folder, "browser/index.js") };
      // A third of it is comments and blanks, which are read at each start all the same. Names stay, for the
      // traces of errors.
      options.minifyWhitespace = true;
      options.minifySyntax = true;
    },
  },
  {
    ...common,
    // By itself, in one piece, and CommonJS: a thread has its first script 7 ms sooner than with the loader
    // of ES modules.
    format: "cjs",
    // CommonJS has no import.meta.url, by which handlebars and acorn are found.
    shims: true,
    // Named by its ending, for the package is one of ES modules.
    outExtension: () => ({ js: ".cjs" }),
    entry: { "script-worker": "src/script/worker/main.ts" },
  },
];
