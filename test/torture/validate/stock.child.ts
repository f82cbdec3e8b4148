import type { JobManagerOptions } from "@ojm/core";
import { takeStock } from "./stock.js";

/*
 * Takes stock of a store by the packages that it finds: as the base version, or where this process must not open
 * the store itself. Arguments: JobManagerOptions as JSON, and "jobs" if there were scheduled and retried jobs.
 */

const [, , options = "{}", jobs] = process.argv;
process.send?.(await takeStock(JSON.parse(options) as JobManagerOptions, jobs === "jobs"));
process.disconnect();
