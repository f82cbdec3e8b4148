import type { ScheduleReason } from "../control/why.js";

type Code = ScheduleReason["code"];

/** A queue needs no schedule, its items do not wait for each other, and its definition has its limits. */
const OF_JOBS: readonly Code[] = ["ready", "running", "never", "unscheduled", "permit", "rate"];

/** Whether a reason of `scheduler.why` says something about the items of a queue of this name. */
export const concernsQueue = ({ code }: Pick<ScheduleReason, "code">): boolean => !OF_JOBS.includes(code);

const OF_OTHER_TIMES: readonly string[] = ["last", "tick", "next", "never", "unscheduled"] satisfies Code[];

/** Whether a reason is about now. The others are about past runs and ticks, and about the next one. */
export const isAboutNow = ({ code }: { readonly code: string }): boolean => !OF_OTHER_TIMES.includes(code);
