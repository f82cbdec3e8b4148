import type { Overlap } from "../../definition/types.js";

/** The most ticks that may wait for a run. */
const MOST_WAITING = 100;

/** A tick that is found later than this is missed, in ms. */
const LATE = 60_000;

/** A time without any process, in ms since 1970: runs end at its start. */
export interface Downtime {
  readonly from: number;
  readonly to: number;
}

/** A schedule in the model. */
export interface Modelled {
  readonly overlap: Overlap;
  readonly missed: "none" | "latest" | "all";
  /** With `all`: the most ticks that are run. */
  readonly max: number;
  /** The duration of a body that begins at this time, in ms. */
  takes(begin: number): number;
}

/**
 * The expected outcomes of the ticks of a job, by the words of docs/reference/schedules.md: a walk through
 * them, one by one.
 */
export class Model {
  /** The outcome of each tick: `run`, or the outcome and its reason. */
  readonly outcomes: Map<number, string> = new Map();
  readonly #schedule: Modelled;
  /** The end of the current run, or of the last one. */
  #busy = 0;
  /** The ticks that wait for it. */
  #waiting: number[] = [];

  constructor(schedule: Modelled) {
    this.#schedule = schedule;
  }

  /** Decides all ticks before `end`, given in order. For a while there is no process. */
  pass(ticks: readonly number[], { from, to }: Downtime, end: number): void {
    for (const tick of ticks.filter((at) => at <= from)) this.#tick(tick, tick);
    this.#runWaiting(from);
    this.#busy = Math.min(this.#busy, from);
    this.#found(
      ticks.filter((at) => at > from && at <= to),
      to,
    );
    for (const tick of ticks.filter((at) => at > to)) this.#tick(tick, tick);
    this.#runWaiting(end);
  }

  /** A tick that is due, and found at `now`. */
  #tick(tick: number, now: number): void {
    this.#runWaiting(now);
    const { overlap } = this.#schedule;
    const isFree = this.#waiting.length === 0 && (this.#busy <= now || overlap === "replace");
    if (isFree) this.#run(tick, now);
    else if (overlap === "skip") this.outcomes.set(tick, "skipped overlap");
    else if (overlap === "replace") {
      for (const older of this.#waiting) this.outcomes.set(older, "skipped replaced");
      this.#waiting = [tick];
    } else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(tick);
    else this.outcomes.set(tick, "skipped queue-full");
  }

  #run(tick: number, now: number): void {
    this.outcomes.set(tick, "run");
    this.#busy = now + this.#schedule.takes(now);
  }

  /** Starts the waiting ticks that begin before `now`. A tick that replaces a run does not wait for it. */
  #runWaiting(now: number): void {
    while (this.#busy < now || this.#schedule.overlap === "replace") {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#run(next, Math.min(now, this.#busy));
    }
  }

  /** Decides ticks that came while there was no process. */
  #found(ticks: readonly number[], now: number): void {
    const newest = ticks.at(-1);
    this.#busy = Math.max(this.#busy, now);
    if (newest === undefined) return;
    const { missed, max } = this.#schedule;
    if (missed === "all" && ticks.length > 1) {
      const run = ticks.slice(-max);
      for (const tick of ticks.slice(0, -max)) this.outcomes.set(tick, "missed too-many");
      const room = MOST_WAITING - this.#waiting.length;
      for (const tick of run.slice(room)) this.outcomes.set(tick, "skipped queue-full");
      this.#waiting.push(...run.slice(0, room));
      return;
    }
    const why = missed === "none" ? "missed policy" : "missed not-latest";
    for (const tick of ticks.slice(0, -1)) this.outcomes.set(tick, why);
    if (missed === "none" && now - newest > LATE) this.outcomes.set(newest, why);
    else this.#tick(newest, now);
  }
}
