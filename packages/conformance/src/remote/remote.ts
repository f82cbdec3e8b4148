import type { Backend } from "@ojm/core/backend";
import type { RemoteClient } from "../harness/harness.js";
/** A backend in another process. */
export interface RemoteBackend extends Backend {
  kill(): Promise<void>;
}
export async function openRemote(_: RemoteClient): Promise<RemoteBackend> {
  throw new Error("todo");
}
