import { join } from "node:path";
import { type JobManager, openJobManager } from "@ojm/core";
import { onTestFinished } from "vitest";
import { prepareType } from "../backends.js";

/** Opens the SQLite store `ojm.db` of a folder, until the test ends. */
export async function storeIn(folder: string): Promise<JobManager> {
  await prepareType("sqlite");
  const store = { type: "sqlite", args: { file: join(folder, "ojm.db") } };
  const manager = await openJobManager({ chJobs: store, chLocks: store });
  onTestFinished(() => manager.close());
  return manager;
}
