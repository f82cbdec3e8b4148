import { join } from "node:path";
import { type JobManager, openJobManager } from "@ojm/core";
import { openQueues, type Queues } from "@ojm/queue";
import { folderWith } from "@ojm/testing/folder";
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

/** A folder with the SQLite store `ojm.db` and its queues, which are open until the test ends. */
export async function queuesInFolder(): Promise<{ folder: string; manager: JobManager; queues: Queues }> {
  const folder = folderWith({});
  const manager = await storeIn(folder);
  const queues = openQueues(manager);
  onTestFinished(() => queues.close({ grace: 0 }));
  return { folder, manager, queues };
}
