// Stands where the build puts the entry of script threads, so that the sources find it under the same name.
// Where tests run what was built (see programs.ts of core), it runs that: a thread takes a fifth of the time.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const built = join(__dirname, "../dist/script-worker.cjs");
if (process.env.OJM_BUILT !== undefined && existsSync(built)) require(built);
else {
  // The loader of the main thread does not reach into threads.
  require("tsx/cjs/api").register();
  require("./script/worker/main.ts");
}
