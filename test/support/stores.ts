import { join } from "node:path";
import type { JobManagerOptions } from "@ojm/core";
import { temporaryFolder } from "./processes.js";

/** A store that several processes can open, as the options of a manager. */
export interface SharedStore {
  readonly name: string;
  /** Makes an empty one; it is removed when the test is over. */
  create(): Promise<JobManagerOptions>;
}

/** The stores that several processes of one host can share. */
export const sharedStores: readonly SharedStore[] = [
  {
    name: "sqlite, one file",
    async create() {
      const channel = { type: "sqlite", args: { file: join(temporaryFolder(), "ojm.db") } };
      return { chJobs: channel, chLocks: channel };
    },
  },
  {
    name: "sqlite, two files",
    async create() {
      const folder = temporaryFolder();
      return {
        chJobs: { type: "db", args: { file: join(folder, "jobs.db") } },
        chLocks: { type: "db", args: { file: join(folder, "locks.db") } },
      };
    },
  },
];
