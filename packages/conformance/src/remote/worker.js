// Stands where the build puts the program of a remote client, so that the sources find it under the same
// name. Runs the sources.
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
