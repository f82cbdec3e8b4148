import type { Machine } from "../report/result.js";
import type { Counters, Lateness, Once } from "./counting/counts.js";

/** The cost of many schedules for one process. */
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

/** The cost of the same schedules in several processes. */
export interface CrowdRow {
  readonly store: string;
  readonly processes: number;
  readonly schedules: number;
  readonly ticks: Once;
  /**
   * By counter: the cost of each tick. `calls` are transactions on SQLite; `server` and `clients` are
   * processor time in µs.
   */
  readonly perTick: Counters;
  /** By counter: its growth per second without ticks. */
  readonly quiet: Counters;
}

/** All results of a call of `bench -- schedules`, in the form that `--json` writes. */
export interface SchedulesResult {
  readonly kind: "schedules";
  readonly date: string;
  /** The measured commit, if Git knows it. */
  readonly commit?: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly one: readonly ProcessRow[];
  readonly crowd: readonly CrowdRow[];
}
