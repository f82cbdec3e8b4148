import type { TodoEntry } from "../load/jobfile.js";
import type { PlannedJob } from "../plan/plan.js";
import type { Asked } from "./requests.js";

/** What the items of a todo ask for, in their order. */
export function askedByTodo(todo: readonly TodoEntry[], job: (name: string) => PlannedJob): Asked[] {
  return todo.map((entry) => ({
    job: job(entry.job),
    given: entry.args.length > 0 ? entry.args : [{}],
    trigger: "manual",
    entry,
  }));
}
