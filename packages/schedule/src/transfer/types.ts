import type { CallOptions } from "@ojm/core";
import type { ImportCount } from "@ojm/core/internal";
import type { Cursor, StoredSchedule, TickValue } from "../store/schema.js";

/** Options of {@link exportedSchedules}. */
export interface ScheduleExportOptions extends CallOptions {
  /** Only the schedule of this name. */
  readonly name?: string;
  /** Only the outcomes of ticks at this time or later, in ms since 1970. */
  readonly from?: number;
  /** Only the outcomes of ticks before this time, in ms since 1970. */
  readonly to?: number;
}

/** What became of a tick, or of several, as the store has it. */
export interface ExportedTick extends TickValue {
  readonly schedule: string;
  /** In ms since 1970. */
  readonly at: number;
}

/** A schedule as the store has it. */
export interface ExportedSchedule extends StoredSchedule {
  /** Which of its ticks have their outcome. */
  readonly cursor: Cursor;
  /** When it was read, in ms since 1970. */
  readonly read: number;
}

/** A part of what {@link exportedSchedules} yields: plain JSON. A schedule stands behind its ticks. */
export type ExportedSchedulePart = { readonly tick: ExportedTick } | { readonly schedule: ExportedSchedule };

/** What an import of schedules did. */
export interface ScheduleImportCounts {
  readonly schedules: ImportCount;
  readonly ticks: ImportCount;
}
