import type { Problems } from "../../text/problem.js";
import type { Plan } from "../planned.js";

/**
 * Warns of a job of the todo that depends on a job that nothing asks for: it would be skipped. A name in any
 * step may ask for the job, so such a file is not warned of.
 */
export function warnOfUnasked({ todo, jobs }: Plan, problems: Problems): void {
  const asked = new Set(todo.map(({ job }) => job));
  const texts = [...jobs.values()].flatMap(({ steps, each, onError }) =>
    [...steps, ...onError, ...each].map((step) =>
      JSON.stringify("code" in step ? step.code.code : "shortcut" in step ? step.shortcut.values : step.job),
    ),
  );
  for (const name of asked) {
    for (const { job, at } of jobs.get(name)?.deps ?? []) {
      if (asked.has(job) || !jobs.has(job) || texts.some((text) => text.includes(job))) continue;
      problems.warn(
        `"${name}" depends on "${job}", which is not in "todo": "${name}" would be skipped. Add it there.`,
        at,
      );
    }
  }
}
