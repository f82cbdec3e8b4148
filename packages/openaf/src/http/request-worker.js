// Stands where the build puts the entry of the thread that makes requests, so that the sources find it under
// the same name. Runs the sources: the loader of the main thread does not reach into threads.
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
