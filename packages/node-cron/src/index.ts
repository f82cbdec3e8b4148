/** A run coordinator for node-cron. */
export { type CoordinatorOptions, OjmCoordinator, ojmCoordinator } from "./coordinator.js";
