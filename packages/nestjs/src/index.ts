/** The schedules of a Nest application: each tick runs in one of all its replicas. */
export { CronExpression } from "./cron-expression.js";
export { Cron, type CronOptions, Interval, type JobOptions, Timeout, type TimeoutOptions } from "./decorators.js";
export { type OjmHealth, OjmHealthIndicator } from "./health.js";
export { OjmModule } from "./module.js";
export { Ojm, type OjmOptions } from "./ojm.js";
export { type CronJobLike, type RegisteredCronJob, SchedulerRegistry } from "./registry.js";
