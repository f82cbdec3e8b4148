/** Channels, locks and managed runs. */
export * from "./channel/index.js";
export * from "./jobs/index.js";
export * from "./locks/index.js";
export type { Clock } from "./util/clock.js";
export type { Duration } from "./util/duration.js";
