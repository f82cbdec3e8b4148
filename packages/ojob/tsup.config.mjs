import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import base from "../../tsup.base.mjs";

// Clean once, before both builds: they run at the same time, and one would remove the output of the other.
rmSync(new URL("dist", import.meta.url), { recursive: true, force: true });
const common = { ...base, clean: false };

/** The library, and the entry of its script threads: `run.ts` expects the two side by side. */
export default [
  {
    ...common,
    entry: { index: "src/index.ts" },
    // The package yaml consists of some eighty CommonJS files: loading them one by one takes 30 ms of each
    // start, and 5 ms as a part of the bundle.
    noExternal: ["yaml"],
    esbuildOptions(options) {
      // Its build for browsers consists of ES modules, of which the bundle keeps only the used parts.
      const folder = dirname(createRequire(import.meta.url).resolve("yaml/package.json"));
      options.alias = { yaml: join(folder, "browser/index.js") };
      // A third of the output is comments and blanks, which each start would have to read. Names stay, for
      // stack traces.
      options.minifyWhitespace = true;
      options.minifySyntax = true;
    },
  },
  {
    ...common,
    // A separate CommonJS bundle: a thread runs its first script 7 ms sooner than with the loader of ES
    // modules.
    format: "cjs",
    // CommonJS has no import.meta.url, which is needed to find handlebars and acorn.
    shims: true,
    // It needs the extension .cjs, because the package consists of ES modules.
    outExtension: () => ({ js: ".cjs" }),
    entry: { "script-worker": "src/script/worker/main.ts" },
  },
];
