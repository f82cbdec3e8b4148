import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JobManagerOptions } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";

/** A folder in which the command line finds a store, by its config file. */
export function folderWithStore({ chJobs, chLocks }: JobManagerOptions): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "ojm.config.json"), JSON.stringify({ store: { jobs: chJobs, locks: chLocks } }));
  return folder;
}
