import type { TodoEntry } from "../load/jobfile.js";
import type { Plan } from "../plan/plan.js";
import type { Asked } from "./requests.js";

/** What a todo asks for, by when its turn comes. */
export interface Todo {
  /** Runs now. */
  readonly now: readonly Asked[];
  /** Runs when all is done, or is being stopped. */
  readonly shutdown: readonly Asked[];
}

/** Sorts the items of a todo by the types of their jobs. */
export function sortTodo({ todo, jobs }: Plan): Todo {
  const asked = todo.flatMap((entry) => askedBy(entry, jobs));
  return {
    now: asked.filter(({ job }) => job.type !== "shutdown"),
    shutdown: asked.filter(({ job }) => job.type === "shutdown").map((one) => ({ ...one, trigger: "shutdown" })),
  };
}

function askedBy(entry: TodoEntry, jobs: Plan["jobs"]): Asked[] {
  const job = jobs.get(entry.job);
  if (job === undefined) return [];
  const begins = job.type === "periodic" || job.type === "subscribe";
  return [{ job, given: entry.args.length > 0 ? entry.args : [{}], trigger: "manual", entry, begins }];
}
