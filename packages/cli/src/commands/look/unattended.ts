import type { JobManager } from "@ojm/core";
import type { NextTick } from "@ojm/schedule";

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

/** What is known of a tick to come. */
export interface ComingTick extends Pick<NextTick, "skipped" | "waiting"> {
  /** Set if no living process runs its schedule. */
  readonly nobody?: true;
}

/** What keeps a tick from being run at its time. `late`: what becomes of it if nobody runs it by then. */
export function noteOf({ skipped, nobody, waiting }: ComingTick, late?: string): string {
  const notes = [
    ...(waiting === undefined ? [] : [waiting === 1 ? "1 tick waits before it" : `${waiting} ticks wait before it`]),
    ...(skipped === undefined ? [] : [`will be skipped: ${SKIPPED[skipped]}`]),
    ...(nobody === undefined || skipped !== undefined ? [] : [`${NOBODY} now${late === undefined ? "" : `: ${late}`}`]),
  ];
  return notes.join("; ");
}

/** Why a tick will be skipped, in short. */
export const SKIPPED: Readonly<Record<NonNullable<NextTick["skipped"]>, string>> = {
  paused: "paused",
  blackout: "blackout",
  held: "on hold",
};
