/** For the other packages of ojm: it may change with any version. Programs do not import it. */

export { lastTickOf, onceFor } from "./calendar/last-tick.js";
export { type Due, Timetable } from "./calendar/timetable.js";
export { OPTIONS as SCHEDULE_OPTIONS, unknownOption as unknownScheduleOption } from "./definition/check.js";
export { ForeignTicks } from "./fire/foreign-ticks.js";
export { type Cursor, pauseAt, type StoredSchedule, type TickValue } from "./store/schema.js";
