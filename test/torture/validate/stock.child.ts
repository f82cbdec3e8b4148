import type { JobManagerOptions } from "@ojm/core";
import { takeStock } from "./stock.js";

/*
 * Takes stock of a store by the packages beside it: as the base version, or in a process of its own.
 * Arguments: JobManagerOptions as JSON, and "jobs" if there were scheduled and retried jobs.
 */

const [, , options = "{}", jobs] = process.argv;
const stock = await takeStock(JSON.parse(options) as JobManagerOptions, jobs === "jobs");
// Sent as a whole first: a disconnect drops the rest of a long message.
process.send?.(stock, undefined, undefined, () => process.disconnect());
