/** Channels, locks and managed runs. */
export * from "./jobs/types.js";
