/** Schedules: when jobs are due. */
export { cronSchedule } from "./calendar/cron.js";
export { intervalSchedule } from "./calendar/interval.js";
export { type Schedule, ScheduleError } from "./calendar/schedule.js";
export { type Due, Timetable } from "./calendar/timetable.js";
