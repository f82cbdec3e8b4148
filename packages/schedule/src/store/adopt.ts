import type { Op } from "@ojm/core";
import { moveFromUnreadable, moveTo } from "../decide/decide.js";
import { isReadable } from "../definition/check.js";
import type { CheckedDefinition } from "../definition/types.js";
import { type Cursor, cursorKey, removedKey, type SchedulesValue, type StoredSchedule, scheduleKey } from "./schema.js";
import type { Found, ScheduleStore, Stored, Versioned } from "./store.js";

/** The number of earlier definitions that are remembered. */
const MOST_PAST = 50;

/** The definition of a process. */
export interface Brought {
  readonly name: string;
  readonly definition: CheckedDefinition;
  readonly hash: string;
}

/**
 * Puts a definition into the store, if it is newer than the present one: a hash that the store has not seen
 * wins. A hash that it has seen is an older definition, from a process that still runs an older deploy: it
 * wins only with `rollback`. Resolves to the new content of the store. The cursor is missing if the schedule
 * was there already, because most of the processes that share a schedule never need it.
 */
export async function adopt(
  store: ScheduleStore,
  brought: Brought,
  { began, rollback = false }: { readonly began: number; readonly rollback?: boolean },
): Promise<Found> {
  const { name, hash } = brought;
  for (;;) {
    const schedule = await store.schedule(name);
    const { hash: present, past } = schedule?.value ?? {};
    const isNewer = present !== hash && (rollback || past?.includes(hash) !== true);
    if (schedule !== undefined && !isNewer) return { schedule };
    const done = await replace(store, brought, schedule, await store.cursor(name), began);
    if (done !== undefined) return done;
  }
}

async function replace(
  store: ScheduleStore,
  { name, definition, hash }: Brought,
  schedule: Versioned<StoredSchedule> | undefined,
  cursor: Versioned<Cursor> | undefined,
  began: number,
): Promise<Stored | undefined> {
  const now = store.clock.now();
  if (schedule === undefined) {
    const value: StoredSchedule = { name, definition, hash, revision: 1, past: [], since: now };
    return begin(store, schedule, cursor, value, [{ delete: removedKey(name) }]);
  }
  // The cursor was deleted: it is not known which ticks were run. Begin now rather than run one twice.
  if (cursor === undefined) return begin(store, schedule, cursor, schedule.value);
  const { past, revision } = schedule.value;
  const value: StoredSchedule = {
    ...schedule.value,
    definition,
    hash,
    revision: revision + 1,
    past: [...past.filter((one) => one !== hash), schedule.value.hash].slice(-MOST_PAST),
    since: now,
  };
  const move = isReadable(schedule.value.definition) ? moveTo : moveFromUnreadable;
  const moved = move(definition, { schedule: schedule.value, cursor: cursor.value, now, began });
  const writes = [
    { put: scheduleKey(name), value },
    { put: cursorKey(name), value: moved.cursor },
  ];
  const version = await store.write({ schedule, cursor }, moved, writes);
  return version === undefined ? undefined : { schedule: { value, version }, cursor: { value: moved.cursor, version } };
}

/**
 * Puts a schedule back as last known, with a cursor that begins now: the store has lost it. Resolves to the
 * new content of the store; to `undefined` if the schedule was removed.
 */
export async function restore(store: ScheduleStore, known: StoredSchedule): Promise<Stored | undefined> {
  const removed = removedKey(known.name);
  for (;;) {
    const { schedule, cursor } = await store.read(known.name);
    if (schedule !== undefined && cursor !== undefined) return { schedule, cursor };
    if (schedule === undefined && (await store.channel.entry(removed)) !== undefined) return undefined;
    const checks = [{ check: removed, version: null }];
    const begun = await begin(store, schedule, cursor, schedule?.value ?? known, schedule === undefined ? checks : []);
    if (begun !== undefined) return begun;
  }
}

/** Writes a schedule whose cursor begins now. */
async function begin(
  { channel, clock }: ScheduleStore,
  schedule: Versioned<StoredSchedule> | undefined,
  cursor: Versioned<Cursor> | undefined,
  value: StoredSchedule,
  more: readonly Op<SchedulesValue>[] = [],
): Promise<Stored | undefined> {
  const now: Cursor = { at: clock.now() };
  const ops: Op<SchedulesValue>[] = [
    { check: scheduleKey(value.name), version: schedule?.version ?? null },
    { check: cursorKey(value.name), version: cursor?.version ?? null },
    { put: scheduleKey(value.name), value },
    { put: cursorKey(value.name), value: now },
    ...more,
  ];
  const result = await channel.commit(ops);
  if (!result.ok) return undefined;
  const { version } = result;
  return { schedule: { value, version }, cursor: { value: now, version } };
}
