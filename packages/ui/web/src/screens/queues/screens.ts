/** The screens of the queues, which are loaded together. */
export { ItemScreen } from "./item.js";
export { QueueScreen } from "./queue.js";
export { QueuesScreen } from "./queues.js";
