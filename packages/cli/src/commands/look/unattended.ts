import type { NextTick } from "@ojm/schedule";

/** The text for an unattended schedule, in place of its next tick. */
export const UNATTENDED = "no process runs it";

/** The facts about a coming tick. */
export interface ComingTick extends Pick<NextTick, "skipped" | "waiting"> {
  /** Set if no living process runs its schedule. */
  readonly unattended?: true;
}

/** What keeps a tick from running on time. `late`: what happens to it if no process runs it by then. */
export function noteOf({ skipped, unattended, waiting }: ComingTick, late?: string): string {
  const notes = [
    ...(waiting === undefined ? [] : [waiting === 1 ? "1 tick waits before it" : `${waiting} ticks wait before it`]),
    ...(skipped === undefined
      ? []
      : [`${skipped === "maintenance" ? "will wait" : "will be skipped"}: ${SKIPPED[skipped]}`]),
    ...(unattended === undefined || skipped !== undefined
      ? []
      : [`${UNATTENDED} now${late === undefined ? "" : `: ${late}`}`]),
  ];
  return notes.join("; ");
}

/** Why a tick will be skipped, in short. */
export const SKIPPED: Readonly<Record<NonNullable<NextTick["skipped"]>, string>> = {
  paused: "paused",
  blackout: "blackout",
  maintenance: "maintenance",
  held: "on hold",
};
