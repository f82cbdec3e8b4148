import { visible } from "@ojm/core/internal";
import type { SchedulerOptions } from "@ojm/schedule";
import { isMap } from "../../text/template.js";
import type { Engine } from "../engine.js";

/** A run that is later than this, in ms, gets a warning: the process slept, or the clock was set forward. */
export const LATE = 60_000;

type DecidedTick = Parameters<NonNullable<SchedulerOptions["onTick"]>>[0];

interface LoggedSchedule {
  readonly job: string;
  /** The name of the lock; `undefined` if no other process knows of it. */
  readonly lock: string | undefined;
  /** How late a tick may be without a warning, in ms: it waits for the previous run, or for its jitter. */
  readonly mayWait: number;
}

/** Logs the outcome of the ticks of a schedule: each tick becomes a run or a log line. */
export class TickLog {
  readonly #engine: Engine;
  readonly #schedule: LoggedSchedule;
  readonly #began: number;
  /** Ticks that are not run because a newer tick replaces them. */
  #before: DecidedTick | undefined;

  constructor(engine: Engine, schedule: LoggedSchedule) {
    this.#engine = engine;
    this.#schedule = schedule;
    this.#began = engine.runtime.clock.now();
  }

  log(tick: DecidedTick): void {
    if (tick.outcome === "run") this.#run(tick);
    else if (tick.reason === "not-latest") {
      this.flush();
      this.#before = tick;
    } else if (tick.outcome === "skipped") {
      const why = this.#whySkipped(tick);
      this.flush(`the tick after them was skipped: ${why}`);
      const { job } = this.#schedule;
      if (tick.until === undefined) this.#engine.tickSkipped(job, tick.at, why);
      else this.#engine.log.line("INFO", `"${job}" was skipped at ${ticksText(tick)}: ${why}`);
    } else {
      const why = whyNotRun(tick);
      this.flush(why);
      this.#notRun(tick, why);
    }
  }

  /** Logs the ticks that would have been logged with the next one. */
  flush(why = "a newer tick replaces them"): void {
    const before = this.#before;
    this.#before = undefined;
    if (before !== undefined) this.#notRun(before, why);
  }

  /** Warns of late runs: the log must show why a nightly report is missing. */
  #run({ at }: DecidedTick): void {
    const before = this.#before;
    this.#before = undefined;
    const late = this.#engine.runtime.clock.now() - at;
    if (before === undefined && late < LATE + this.#schedule.mayWait) return;
    const { job } = this.#schedule;
    const slept = "this process slept or was held up, or the clock was put forward";
    const why = at < this.#began ? "no process was there" : slept;
    const lost =
      before === undefined
        ? ""
        : ` It replaces ${countText(before)} from ${timeText(before.at)} on, which are not run.`;
    this.#engine.log.line("WARN", `"${job}" has been due since ${timeText(at)}: ${why}.${lost}`);
  }

  #whySkipped({ reason, evidence = {} }: DecidedTick): string {
    const { lock } = this.#schedule;
    switch (reason) {
      case "overlap":
        if ("waiting" in evidence) return "earlier ticks wait for their run";
        return lock === undefined
          ? "the run before it is still running"
          : `Can't lock to execute job '${lock}': ${heldText(evidence)}`;
      case "paused":
        return `paused by ${text(evidence["by"])}: ${text(evidence["reason"])}`;
      case "blackout": {
        const why = evidence["reason"] === undefined ? "" : `: ${text(evidence["reason"])}`;
        return `blackout until ${timeText(evidence["to"])}${why}`;
      }
      case "queue-full":
        return `${text(evidence["waiting"])} ticks wait already`;
      case "replaced":
        return `replaced by the tick of ${timeText(evidence["by"])}`;
      default:
        return text(reason);
    }
  }

  #notRun(tick: DecidedTick, why: string): void {
    this.#engine.log.line("WARN", `"${this.#schedule.job}" is not run for ${ticksText(tick)}: ${why}`);
  }
}

function whyNotRun({ outcome, reason, evidence = {} }: DecidedTick): string {
  if (outcome === "refused") return evidence["error"] === undefined ? text(reason) : text(evidence["error"]);
  switch (reason) {
    case "policy":
      return 'it was found too late, and "missed" is none';
    case "too-late":
      return 'it was found later than "missed" allows';
    case "too-many":
      return 'more ticks were missed than "missed" runs';
    case "no-scheduler":
      return "no process was there";
    default:
      return text(reason);
  }
}

function countText({ count = 1, more }: DecidedTick): string {
  return count === 1 ? "one tick" : `${count}${more === true ? " or more" : ""} ticks`;
}

function ticksText(tick: DecidedTick): string {
  const { at, until } = tick;
  if (until === undefined) return `its tick of ${timeText(at)}`;
  return `${countText(tick)} from ${timeText(at)} to ${timeText(until)}`;
}

/** The evidence of a tick: it comes from a store, to which other programs can write. */
type Evidence = { readonly [field: string]: unknown };

/** A value of the evidence, safe to show on a terminal. */
function text(value: unknown): string {
  return visible(typeof value === "object" ? JSON.stringify(value) : String(value));
}

function timeText(value: unknown): string {
  const date = new Date(Number(value));
  return Number.isNaN(date.getTime()) ? text(value) : date.toISOString();
}

/** Names the holder of the lock in the same words as the error of a start. */
function heldText({ holder, since, hold }: Evidence): string {
  if (isMap(hold)) {
    const by = hold["author"] === undefined ? "" : ` by ${text(hold["author"])}`;
    return `held for maintenance${by} until ${timeText(hold["until"])}: ${text(hold["reason"])}`;
  }
  if (!isMap(holder)) return "other waiters are ahead in its queue";
  return `held by ${text(holder["host"])}, pid ${text(holder["pid"])}, since ${timeText(since)}`;
}
