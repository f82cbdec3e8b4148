// Stands where the build puts the entry of script threads, so that the sources find it under the same name.
// Runs what was built if the tests are about to (see programs.ts of core): a thread takes a fifth of the time then.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const built = join(__dirname, "../dist/script-worker.cjs");
if (process.env.OJM_BUILT !== undefined && existsSync(built)) require(built);
else {
  // The loader of the main thread does not reach into threads.
  require("tsx/cjs/api").register();
  require("./script/worker/main.ts");
}
