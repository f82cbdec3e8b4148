import type { JobManager } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import type { QueueSummary, Queues } from "@ojm/queue";
import type { Pause } from "@ojm/schedule";
import { hint } from "../command-line/parse.js";
import { notFound } from "../errors.js";

/** How many names a message lists: more than a screen does not help. */
const MOST_NAMES = 20;

/** The most characters of all listed names together, and of one name. */
const MOST_CHARACTERS = 600;
const LONGEST = 60;

/** The names of the schedules of a store. */
export async function scheduleNames(manager: JobManager): Promise<Set<string>> {
  return new Set((await schedulePauses(manager)).keys());
}

/** The schedules of a store, each with its current pause. */
export async function schedulePauses(manager: JobManager): Promise<Map<string, Pause | undefined>> {
  const [{ schedulesIn }, { pauseAt }] = await Promise.all([import("@ojm/schedule"), import("@ojm/schedule/internal")]);
  const pauses = new Map<string, Pause | undefined>();
  for await (const { name, paused } of schedulesIn(manager)) {
    pauses.set(name, pauseAt({ ...(paused && { paused }) }, Date.now()));
  }
  return pauses;
}

/** The names of the queues of a store. */
export async function queueNames(manager: JobManager): Promise<Set<string>> {
  return new Set((await queuesIn(manager, async (queue) => queue)).map(({ name }) => name));
}

/** Reads each queue of a store. Empty for a store that cannot have queues. */
export async function queuesIn<T>(
  manager: JobManager,
  read: (queue: QueueSummary, queues: Queues) => Promise<T>,
): Promise<T[]> {
  const { openQueues } = await import("@ojm/queue");
  await using queues = openQueues(manager);
  const all: T[] = [];
  try {
    for await (const queue of queues.list()) all.push(await read(queue, queues));
  } catch (error) {
    // A Redis Cluster without a hash tag.
    if ((error as { readonly code?: unknown }).code !== "NOT_SUPPORTED") throw error;
  }
  return all;
}

/** The error of a schedule that the store does not have. */
export async function unknownSchedule(name: string): Promise<Error> {
  const { ScheduleError } = await import("@ojm/schedule");
  return new ScheduleError("UNKNOWN", `there is no schedule "${name}" in this store`);
}

/** Rejects the name of a schedule that the store does not have. */
export async function refuseUnknownSchedule(manager: JobManager, name: string): Promise<void> {
  if (!(await scheduleNames(manager)).has(name)) throw await unknownSchedule(name);
}

/** The names that have a run, a lock, a schedule or items. Reads two entries for each name that has runs. */
export async function knownNames(manager: JobManager): Promise<Set<string>> {
  const names = await namesWithoutRun(manager);
  for await (const name of manager.jobNames()) names.add(name);
  return names;
}

/** The names that have a lock, a schedule or items. */
async function namesWithoutRun(manager: JobManager): Promise<Set<string>> {
  const names = new Set([...(await scheduleNames(manager)), ...(await queueNames(manager))]);
  for (const { name } of await manager.heldLocks()) names.add(name);
  return names;
}

/** Whether a name has a run, a lock, a schedule or items, of any age. */
export async function isKnown(manager: JobManager, name: string): Promise<boolean> {
  for await (const _ of manager.history({ name, limit: 1 })) return true;
  return (await namesWithoutRun(manager)).has(name);
}

/** A suggestion for a misspelt name, as a sentence; empty if none is near. */
export async function meant(name: string, known: ReadonlySet<string>): Promise<string> {
  const others = [...known].filter((one) => one !== name);
  const near = (await hint(name, others)).replace(/^ Did you mean (.*)\?$/s, ' Did you mean "$1"?');
  if (near !== "" || name === "") return near;
  const [longer, ...more] = others.filter((one) => one.startsWith(name));
  return longer === undefined || more.length > 0 ? "" : ` Did you mean "${longer}"?`;
}

/** The known names, or the first of them and how many more, as the end of a sentence. */
export function listed(known: ReadonlySet<string>): string {
  const shown: string[] = [];
  let length = 0;
  for (const name of [...known].sort().slice(0, MOST_NAMES)) {
    // A line break in a name would break the sentence.
    const short = visible(shortened(name));
    length += short.length;
    if (shown.length > 0 && length > MOST_CHARACTERS) break;
    shown.push(short);
  }
  const more = known.size - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Shortens a name of thousands of characters, which would bury the error, between two characters. */
function shortened(name: string): string {
  const characters = name.length > LONGEST ? [...name] : [];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : name;
}

/**
 * Rejects a name that the store does not have: a misspelt one would get an answer that reads as if all was
 * well. With `withAudit`, a name that only the audit has is known.
 */
export async function refuseUnknown(manager: JobManager, name: string, withAudit = false): Promise<void> {
  if (await isKnown(manager, name)) return;
  if (withAudit) for await (const _ of manager.audit({ name })) return;
  const known = await knownNames(manager);
  const others = known.size === 0 ? "The store has no names." : `Names of the store: ${listed(known)}.`;
  throw notFound(
    `no job, schedule, queue or lock has the name "${visible(name)}".${await meant(name, known)} ${others}`,
  );
}

/**
 * Rejects an unknown name if a known name is near: the action would have no effect, without any message.
 * `insist`: how to use the name anyway.
 */
export async function refuseTypo(manager: JobManager, name: string, insist = ""): Promise<void> {
  if (await isKnown(manager, name)) return;
  const near = await meant(name, await knownNames(manager));
  if (near !== "") throw notFound(`no job, schedule, queue or lock has the name "${visible(name)}".${near}${insist}`);
}
