import type { Op } from "@ojm/core";
import { settleAll } from "../decide/change.js";
import { cursorKey, removedKey, type SchedulesValue, scheduleKey, TICK_TTL } from "../store/schema.js";
import type { ScheduleStore } from "../store/store.js";
import type { ResumeOptions } from "./pause.js";

/** Removes a schedule. Ticks that wait or are due get their outcome in the same commit. */
export async function remove(store: ScheduleStore, name: string, who: ResumeOptions): Promise<boolean> {
  for (;;) {
    const { schedule, cursor } = await store.read(name);
    if (schedule === undefined && cursor === undefined) return false;
    const now = store.clock.now();
    const writes: Op<SchedulesValue>[] = [
      { delete: scheduleKey(name) },
      { delete: cursorKey(name) },
      { put: removedKey(name), value: { by: store.by, at: now }, ttl: TICK_TTL },
    ];
    const noted = store.noted({ action: "remove", name, ...who });
    if (schedule === undefined || cursor === undefined) {
      await store.channel.commitWith<unknown[]>(writes, [noted]);
      return schedule !== undefined;
    }
    const state = { schedule: schedule.value, cursor: cursor.value, now, began: now };
    const settled = settleAll(state, { outcome: "refused", reason: "removed" });
    if ((await store.write({ schedule, cursor }, settled, writes, [noted])) !== undefined) return true;
  }
}
