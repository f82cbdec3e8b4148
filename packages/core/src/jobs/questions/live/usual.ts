import type { Channel } from "../../../channel/channel.js";
import { historyOf } from "../../records/history/by-name.js";
import type { RunRecord } from "../../types.js";
import { usualOf } from "../job-summary.js";
import type { LiveRun } from "./types.js";

/** From how many of the last runs it is told how long a job usually takes. */
const NEWEST = 20;

/** How long the last runs of a job took that completed. */
export async function usually(jobs: Channel<RunRecord>, name: string): Promise<LiveRun["usual"]> {
  const newest: RunRecord[] = [];
  for await (const record of historyOf(jobs, name, { limit: NEWEST })) newest.push(record);
  return usualOf(newest);
}
