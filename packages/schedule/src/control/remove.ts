import { settleAll } from "../decide/change.js";
import { cursorKey, scheduleKey } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";

/** Removes a schedule. Ticks that wait or are due get their outcome in the same commit. */
export async function remove(store: ScheduleStore, name: string): Promise<boolean> {
  for (;;) {
    const { schedule, cursor } = await store.read(name);
    if (schedule === undefined && cursor === undefined) return false;
    if (schedule === undefined || cursor === undefined) {
      await store.channel.commit([{ delete: scheduleKey(name) }, { delete: cursorKey(name) }]);
      return schedule !== undefined;
    }
    const now = store.clock.now();
    const state = { schedule: schedule.value, cursor: cursor.value, now, began: now };
    const { ticks } = settleAll(state, { outcome: "refused", reason: "removed" });
    const writes = [{ delete: scheduleKey(name) }, { delete: cursorKey(name) }];
    if ((await store.write({ schedule, cursor }, ticks, writes)) !== undefined) return true;
  }
}
