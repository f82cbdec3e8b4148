import type { JobManager } from "@ojm/core";

/** What is said of a schedule that nobody runs, in place of its next tick. */
export const NOBODY = "nobody runs it";

/** The schedules whose current definition no living process has: none of their ticks is run. */
export async function unattended(manager: JobManager): Promise<ReadonlySet<string>> {
  const { schedulersIn, schedulesIn } = await import("@ojm/schedule");
  const living = new Set<string>();
  for await (const { schedules } of schedulersIn(manager))
    for (const [name, hash] of schedules) living.add(`${hash} ${name}`);
  const found = new Set<string>();
  for await (const { name, hash } of schedulesIn(manager)) if (!living.has(`${hash} ${name}`)) found.add(name);
  return found;
}
