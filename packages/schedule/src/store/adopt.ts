import type { Op } from "@ojm/core";
import { moveTo } from "../decide/change.js";
import type { ScheduleDefinition } from "../definition/types.js";
import { type Cursor, cursorKey, type SchedulesValue, type StoredSchedule, scheduleKey } from "./schema.js";
import type { ScheduleStore, Stored, Versioned } from "./store.js";

/** So many earlier definitions are remembered. */
const MOST_PAST = 50;

/** A definition that a process brings. */
export interface Brought {
  readonly name: string;
  readonly definition: ScheduleDefinition;
  readonly hash: string;
}

/**
 * Puts a definition into the store, if it is newer than the one that is there: a hash that the store has
 * not seen wins. One that it has seen is an older one, from a process that was not deployed yet: it wins
 * only with `rollback`. Resolves to what is in the store then.
 */
export async function adopt(
  store: ScheduleStore,
  brought: Brought,
  { began, rollback = false }: { readonly began: number; readonly rollback?: boolean },
): Promise<Stored> {
  for (;;) {
    const { schedule, cursor } = await store.read(brought.name);
    const done = await attempt(store, brought, schedule, cursor, began, rollback);
    if (done !== undefined) return done;
  }
}

async function attempt(
  store: ScheduleStore,
  { name, definition, hash }: Brought,
  schedule: Versioned<StoredSchedule> | undefined,
  cursor: Versioned<Cursor> | undefined,
  began: number,
  rollback: boolean,
): Promise<Stored | undefined> {
  const now = store.clock.now();
  if (schedule === undefined) {
    const value: StoredSchedule = { name, definition, hash, revision: 1, past: [], since: now };
    return begin(store, schedule, cursor, value);
  }
  // Somebody deleted the cursor: which ticks were run is not known. Begin now rather than run one twice.
  if (cursor === undefined) return begin(store, schedule, cursor, schedule.value);
  const { past, revision } = schedule.value;
  if (schedule.value.hash === hash || (past.includes(hash) && !rollback)) return { schedule, cursor };
  const value: StoredSchedule = {
    ...schedule.value,
    definition,
    hash,
    revision: revision + 1,
    past: [...past.filter((one) => one !== hash), schedule.value.hash].slice(-MOST_PAST),
    since: now,
  };
  const moved = moveTo(definition, { schedule: schedule.value, cursor: cursor.value, now, began });
  const writes = [
    { put: scheduleKey(name), value },
    { put: cursorKey(name), value: moved.cursor },
  ];
  const version = await store.write({ schedule, cursor }, moved.ticks, writes);
  return version === undefined ? undefined : { schedule: { value, version }, cursor: { value: moved.cursor, version } };
}

/** Writes a schedule whose cursor begins now. */
async function begin(
  { channel, clock }: ScheduleStore,
  schedule: Versioned<StoredSchedule> | undefined,
  cursor: Versioned<Cursor> | undefined,
  value: StoredSchedule,
): Promise<Stored | undefined> {
  const now: Cursor = { at: clock.now() };
  const ops: Op<SchedulesValue>[] = [
    { check: scheduleKey(value.name), version: schedule?.version ?? null },
    { check: cursorKey(value.name), version: cursor?.version ?? null },
    { put: scheduleKey(value.name), value },
    { put: cursorKey(value.name), value: now },
  ];
  const result = await channel.commit(ops);
  if (!result.ok) return undefined;
  const { version } = result;
  return { schedule: { value, version }, cursor: { value: now, version } };
}
