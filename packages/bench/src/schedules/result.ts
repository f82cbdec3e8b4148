import type { Machine } from "../report/result.js";
import type { Counters, Lateness, Once } from "./counting/counts.js";

/** What many schedules cost one process. */
export interface ProcessRow {
  readonly store: string;
  readonly schedules: number;
  /** How long it takes to add them, one after the other, in ms. */
  readonly adding: number;
  /** Heap and external memory of a schedule after a garbage collection, in bytes. */
  readonly memory: number;
  /** Processor time without ticks, with no schedule and with all of them, as parts of a core. */
  readonly idle: { readonly none: number; readonly all: number };
  readonly lateness: Lateness;
  /** Ticks a second while the lateness was measured. */
  readonly rate: number;
}

/** What the same schedules cost in several processes. */
export interface CrowdRow {
  readonly store: string;
  readonly processes: number;
  readonly schedules: number;
  readonly ticks: Once;
  /**
   * By counter: what each tick adds to it. `calls` are transactions on SQLite; `server` and `clients` are
   * processor time in µs.
   */
  readonly perTick: Counters;
  /** By counter: what it grows by in a second without ticks. */
  readonly quiet: Counters;
}

/** All that a call of `bench -- schedules` found, as `--json` writes it. */
export interface SchedulesResult {
  readonly kind: "schedules";
  readonly date: string;
  /** The commit that was measured, where Git can tell it. */
  readonly commit?: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly one: readonly ProcessRow[];
  readonly crowd: readonly CrowdRow[];
}
