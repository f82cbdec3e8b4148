// Stands where the build puts the entry of script threads, so that the sources find it under the same name.
// Runs the sources: the loader of the main thread does not reach into threads.
require("tsx/cjs/api").register();
require("./script/worker/main.ts");
