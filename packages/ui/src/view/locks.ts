import type { HeldLock } from "@ojm/core";
import { holdOf, runIdOf } from "@ojm/core/internal";
import type { SchedulerView } from "@ojm/schedule";
import type { HoldView, InstanceView, Locks, LockView, SchedulerItem } from "../contract/types.js";
import { firstWaiters, holderOf } from "./runs/items.js";
import { pick, type Source } from "./source.js";

const LOCKS = 500;
const NAMES = 100;

/** The held locks, the processes that hold them, and the schedulers. */
export async function locksOf(source: Source): Promise<Locks> {
  const store = await source.hub.store();
  const { runs: live } = store;
  const held = live.locks();
  const schedulers = store.schedulers().map(schedulerOf);
  const sessions = new Map(live.sessions().map((session) => [session.instance, session]));
  const counts = new Map<string, number>();
  for (const { holder } of held) counts.set(holder.instance, (counts.get(holder.instance) ?? 0) + 1);
  const locks = held.slice(0, LOCKS).map((lock): LockView => {
    const session = sessions.get(lock.holder.instance);
    return {
      ...lockOf(lock, source),
      waiters: firstWaiters(live, lock.name),
      ...(session?.lease && { lease: { ...session.lease } }),
      gone: session === undefined,
    };
  });
  const instances = [...sessions.values()]
    .filter(({ hold }) => hold === undefined)
    .map(
      ({ since, lease, ...holder }): InstanceView => ({
        ...holderOf(holder),
        since,
        ...(lease && { lease: { ...lease } }),
        locks: counts.get(holder.instance) ?? 0,
      }),
    );
  return {
    at: Date.now(),
    locks,
    instances: instances.slice(0, LOCKS),
    schedulers: schedulers.slice(0, NAMES),
    truncated: held.length > LOCKS || instances.length > LOCKS || schedulers.length > NAMES,
  };
}

function lockOf(lock: HeldLock, { mask }: Source): Omit<LockView, "gone" | "waiters"> {
  const { holder } = lock;
  const hold = holdView(lock, { mask });
  const run = runIdOf(lock);
  return {
    ...pick(lock, "name", "since", "fence", "waiting"),
    holder: holderOf(holder),
    ...(run !== undefined && { run }),
    ...(hold && { hold }),
  };
}

/** The hold of a lock, if a user holds it. */
export function holdView(lock: HeldLock, { mask }: Pick<Source, "mask">): HoldView | undefined {
  const hold = holdOf(lock);
  if (hold === undefined) return undefined;
  const { reason, author, until } = hold;
  return { reason: mask(reason), ...(author !== undefined && { author: mask(author) }), until };
}

function schedulerOf({ by, schedules }: SchedulerView): SchedulerItem {
  return { ...holderOf(by), schedules: schedules.size, names: [...schedules.keys()].slice(0, NAMES) };
}
