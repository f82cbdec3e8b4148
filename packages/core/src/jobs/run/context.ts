import type { Channel } from "../../channel/channel.js";
import { encodeValue } from "../../channel/encoding/json.js";
import { VERSIONS } from "../../locks/versions.js";
import type { Clock } from "../../util/clock.js";
import type { InFlight } from "../../util/event-loop.js";
import { startAfter, withMicros } from "../../util/start-time.js";
import type { Logs } from "../logs/logs.js";
import type { Extras } from "../records/record.js";
import type { TimeIndex } from "../records/time-index.js";
import type { Run, RunRecord } from "../types.js";
import type { PermitContext } from "./permits.js";

/** The parts of a manager that a run uses. */
export interface RunContext extends PermitContext {
  readonly jobs: Channel<RunRecord>;
  readonly index: TimeIndex;
  readonly logs: Logs;
  /** The time to live of a session, in ms. The end of a run is retried for this time at most. */
  readonly ttl: number;
  readonly times: StartTimes;
  readonly texts: RecordTexts;
  /** The ids of the retry series whose attempts this process makes. */
  readonly chains: Set<string>;
  /** Await it before a run takes permits, a token or another lock: older versions would misunderstand. */
  raiseFormat(): Promise<void>;
  /** Counts the runs that are being started: `close` waits until there are none. */
  readonly starting: InFlight;
  /** Called when a run is open. */
  onOpen(run: Run): void;
  /** Called when the run has ended, in any way. */
  onOver(run: Run): void;
}

/** Whether one commit can write a lock and a record: both channels are in one store. */
export function inOneStore({ jobs, lockChannel }: Pick<RunContext, "jobs" | "lockChannel">): boolean {
  return lockChannel.joins(jobs as Channel<unknown>);
}

/*
 * The texts of records, equal to the output of `encodeValue` byte by byte: record-texts.test.ts proves it. A
 * template takes a quarter of the time of JSON.stringify and its checks.
 */

/** The part that most runs of a program have in common. */
interface Common {
  readonly holder: string;
  readonly trigger: string;
  readonly timeout: number;
  readonly text: string;
}

/** Makes the texts of records. Remembers the part that is the same for most runs of a program. */
export class RecordTexts {
  #common: Common | undefined;

  /** The texts of one record, which `startedRecord` made of `extras`. `holder`: the text of its holder. */
  of(record: RunRecord, holder: string, extras?: Extras): RecordText {
    const { startTime, startDate } = record;
    const name = JSON.stringify(record.name);
    const id = `${name.slice(0, -1)}@${startDate}"`;
    const begin = `{"name":${name},"startTime":${startTime},"startDate":"${startDate}","id":${id},"status":"`;
    const middle = this.#middle(record, holder);
    return new RecordText(begin, extras === undefined ? middle : middle + moreFields(extras));
  }

  #middle({ trigger, timeout }: RunRecord, holder: string): string {
    const common = this.#common;
    if (common?.holder === holder && common.trigger === trigger && common.timeout === timeout) return common.text;
    const text = `","holder":${holder},"trigger":${JSON.stringify(trigger)},"timeout":${timeout},${VERSIONS_TEXT}`;
    this.#common = { holder, trigger, timeout, text };
    return text;
  }
}

const VERSIONS_TEXT = `"versions":${JSON.stringify(VERSIONS)}`;

/** The text of a map without its braces, to append to other fields. */
export function moreFields(map: object): string {
  const text = encodeValue(map).slice(1, -1);
  return text === "" ? "" : `,${text}`;
}

/** The texts of the record of one run. */
export class RecordText {
  readonly #begin: string;
  readonly #middle: string;

  constructor(begin: string, middle: string) {
    this.#begin = begin;
    this.#middle = middle;
  }

  /** The text while the run is open. */
  get started(): string {
    return `${this.#begin}running${this.#middle}}`;
  }

  /** The text of the record as closed by `ended`, if {@link hasPlainEnd}. */
  ended({ status, fence, error, endTime, endDate, duration, inError }: RunRecord): string {
    const why = error === undefined ? "" : `,"error":${JSON.stringify(error)}`;
    const end = `,"endTime":${endTime},"endDate":"${endDate}","duration":${duration},"inError":${inError}}`;
    return `${this.#begin}${status}${this.#middle},"fence":${JSON.stringify(fence)}${why}${end}`;
  }
}

/** The highest µs of the first run in a ms: it leaves room for more. */
const MOST_MICROS = 900;

/** The most names that are remembered. A forgotten name costs a read if its start time is taken. */
const REMEMBERED = 10_000;

/** Assigns start times. Two runs of a name never have the same one. */
export class StartTimes {
  readonly #last: Map<string, number> = new Map();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The start time of a run that no other one of its name overlaps: whole ms. */
  next(name: string): number {
    return Math.max(this.#clock.now(), Math.floor(this.#last.get(name) ?? 0) + 1);
  }

  /**
   * The start time of a run with a lock of its own: many of a name may start in one ms, in several processes.
   * Random µs keep them apart: each start time that is refused costs a commit and a read.
   */
  nextOfMany(name: string): number {
    const now = Math.floor(this.#clock.now());
    const last = this.#last.get(name) ?? 0;
    if (now <= last) return startAfter(last);
    return withMicros(now, 1 + (Number.parseInt(this.#clock.random(3), 36) % MOST_MICROS));
  }

  taken(name: string, startTime: number): void {
    if (this.#last.size >= REMEMBERED) this.#last.clear();
    this.#last.set(name, Math.max(startTime, this.#last.get(name) ?? 0));
  }
}
