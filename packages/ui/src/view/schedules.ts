import { attendanceOf, type LiveStore, type ScheduleState, scheduleState } from "@ojm/schedule/operator";

/** The states of schedules now, by name. */
export function statesIn(store: LiveStore): (name: string) => ScheduleState | undefined {
  const [unattended, now] = [attendanceOf(store.schedulers()), Date.now()];
  return (name) => {
    const schedule = store.schedule(name);
    return schedule && scheduleState(schedule, unattended, now);
  };
}
