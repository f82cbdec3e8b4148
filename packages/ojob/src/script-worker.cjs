// Stands for the entry of script threads, which the build puts beside its bundle under the same name. If
// tests run the build (see programs.ts of core), it loads the built entry: a thread then starts in a fifth of
// the time.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const built = join(__dirname, "../dist/script-worker.cjs");
if (process.env.OJM_BUILT !== undefined && existsSync(built)) require(built);
else {
  // The loader of the main thread does not reach into threads.
  require("tsx/cjs/api").register();
  require("./script/worker/main.ts");
}
