import { knownKey } from "../../channel/encoding/prepared.js";
import type { Key } from "../../channel/types.js";
import type { HolderSession } from "../../locks/atomic-writes.js";
import { startMs } from "../../util/start-time.js";
import type { CheckedOptions } from "../options.js";
import { isRecordKey } from "../records/read.js";
import { type Extras, recordKey, startedRecord } from "../records/record.js";
import type { RecordedEnds, RetryPolicy, RunRecord } from "../types.js";
import { inOneStore, type RecordText, type RunContext } from "./context.js";

/** How far ahead of a taken start time to look for further taken ones, in ms. */
const START_TIMES_AHEAD = 1_000;

/** A record that is not written yet, and the key for it. */
export interface Draft {
  readonly key: Key;
  readonly record: RunRecord;
  /** The texts of the record, for the store. */
  readonly text: RecordText;
  /** The fields that most records do not have. */
  readonly extras: Extras | undefined;
  readonly recorded: RecordedEnds;
}

/** The place of a run in its retry series. */
export interface Attempt {
  readonly attempt: number;
  /** The id of the first run; absent for the first one itself. */
  readonly chain?: string;
  /** Absent if no entry of the store has the next attempt: the call itself repeats its body. */
  readonly retry?: RetryPolicy;
}

function extrasOf(
  { lock, permits, rate, claim, args, meta }: CheckedOptions,
  attempt: Attempt | undefined,
  startTime: number,
): Extras | undefined {
  const tick = claim?.tick;
  if (
    tick === undefined &&
    args === undefined &&
    meta === undefined &&
    attempt === undefined &&
    lock === undefined &&
    permits === undefined &&
    rate === undefined
  )
    return undefined;
  return {
    ...(lock !== undefined && { lock }),
    ...(permits !== undefined && { permits }),
    ...(rate !== undefined && { rate }),
    ...(tick && { schedule: tick.schedule, tick: tick.at, delay: Math.max(0, startMs(startTime) - tick.at) }),
    ...attempt,
    ...(args && { args }),
    ...(meta && { meta }),
  };
}

/** The record of a run that is about to start. Each attempt makes one with an unused start time. */
export class RecordDraft {
  readonly #context: RunContext;
  readonly #name: string;
  readonly #options: CheckedOptions;
  readonly #attempt: Attempt | undefined;
  readonly #recorded: RecordedEnds;
  #last: Draft | undefined;

  constructor(context: RunContext, name: string, options: CheckedOptions, attempt: Attempt | undefined) {
    this.#context = context;
    this.#name = name;
    this.#options = options;
    this.#attempt = attempt;
    this.#recorded = inOneStore(context) ? (options.record ?? "all") : "all";
  }

  /** The draft of the last attempt, or a first one. */
  current(session: HolderSession): Draft {
    return this.#last ?? this.renew(session);
  }

  renew({ holder, holderText }: HolderSession): Draft {
    const { trigger, timeout } = this.#options;
    const { times } = this.#context;
    const isOfMany = this.#options.lock !== undefined;
    const startTime = isOfMany ? times.nextOfMany(this.#name) : times.next(this.#name);
    // They start at the same moment: a refused start would cost a commit more.
    if (isOfMany) times.taken(this.#name, startTime);
    const extras = extrasOf(this.#options, this.#attempt, startTime);
    const record = startedRecord({ name: this.#name, startTime, holder, trigger, timeout }, extras);
    const text = this.#context.texts.of(record, holderText, extras);
    this.#last = { key: knownKey(recordKey(this.#name, startTime)), record, text, extras, recorded: this.#recorded };
    return this.#last;
  }

  /**
   * Another process has taken this start time. The next draft starts after the newest run of the next second,
   * not after the newest run of all. A machine with a wrong date may have written the newest run of all, and
   * then every later run would get a start time in the future.
   */
  async moveOn(): Promise<void> {
    const { jobs, times, clock } = this.#context;
    const taken = this.#last?.record.startTime ?? clock.now();
    const moment = { after: recordKey(this.#name, taken), before: recordKey(this.#name, taken + START_TIMES_AHEAD) };
    let newest = taken;
    for await (const { key } of jobs.keys({ ...moment, reverse: true })) {
      if (!isRecordKey(key)) continue;
      newest = key.startTime;
      break;
    }
    times.taken(this.#name, newest);
  }
}
