import type { JobManagerOptions } from "@ojm/core";
import type { Mode } from "../scene/events.js";
import { takeStock } from "./stock.js";

/*
 * Takes stock of a store by the packages beside it: as the base version, or in a process of its own.
 * Arguments: JobManagerOptions as JSON, and the mode of the cell.
 */

const [, , options = "{}", mode = "run"] = process.argv;
// A stock can be larger than what the pipe takes at once: a disconnection would lose the rest.
process.send?.(await takeStock(JSON.parse(options) as JobManagerOptions, mode as Mode), () => process.disconnect());
