// A stand-in for the built entry of the heartbeat thread, for use during development. It has the path of that
// entry, so that the sources find it. It registers the loader again, because the loader of the main thread
// does not apply to threads.
import { register } from "tsx/esm/api";

register();
await import("../../heartbeat-worker.ts");
