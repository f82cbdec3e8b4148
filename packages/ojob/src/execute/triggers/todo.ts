import type { TodoEntry } from "../../load/job-file.js";
import type { Plan } from "../../plan/planned.js";
import type { Asked } from "../dispatch/requests.js";

/** The requests of a todo, by when they run. */
export interface Todo {
  /** These run now. */
  readonly now: readonly Asked[];
  /** These run when all others are done or stopped. */
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
