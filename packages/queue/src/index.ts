/** Queues of work, whose items are managed runs. */
export { isQueueError, QueueError, type QueueErrorCode } from "./errors.js";
export { checkQueueOptions } from "./options.js";
export { openQueues, type Queues, type QueuesOptions } from "./queues.js";
export { queueDamage } from "./store/entries.js";
export type * from "./types.js";
export { pauseText } from "./why.js";
