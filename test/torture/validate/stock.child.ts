import type { JobManagerOptions } from "@ojm/core";
import { takeStock } from "./stock.js";

/*
 * Takes stock of a store by the packages beside it: as the base version, or in a process of its own.
 * Arguments: JobManagerOptions as JSON, and "jobs" if there were scheduled and retried jobs.
 */

const [, , options = "{}", jobs] = process.argv;
// A stock can be larger than what the pipe takes at once: a disconnection would lose the rest.
process.send?.(await takeStock(JSON.parse(options) as JobManagerOptions, jobs === "jobs"), () => process.disconnect());
