import type { Holder } from "../../locks/types.js";
import type { CheckedOptions } from "../options.js";
import { isRecordKey } from "../records/read.js";
import { recordKey, startedRecord } from "../records/record.js";
import type { RunRecord } from "../types.js";
import type { RunContext } from "./context.js";

/** How far ahead of a taken start time to look for further taken ones, in ms. */
const MOMENT = 1_000;

/**
 * The record of a run that is about to start. Each attempt makes a new one, with a start time that no other
 * run of the name has.
 */
export class RecordDraft {
  readonly #context: RunContext;
  readonly #name: string;
  readonly #options: CheckedOptions;
  #last: RunRecord | undefined;

  constructor(context: RunContext, name: string, options: CheckedOptions) {
    this.#context = context;
    this.#name = name;
    this.#options = options;
  }

  /** The draft of the last attempt, or a first one. */
  current(holder: Holder): RunRecord {
    return this.#last ?? this.renew(holder);
  }

  renew(holder: Holder): RunRecord {
    const { trigger, timeout, tick } = this.#options;
    const startTime = this.#context.times.next(this.#name);
    this.#last = startedRecord({ name: this.#name, startTime, holder, trigger, timeout, tick: tick?.at });
    return this.#last;
  }

  /**
   * Another process has taken this start time. The next draft starts after the newest run of that moment, not
   * after the newest of all: a machine with a wrong date may have written that one, and all later runs would
   * get start times in the future.
   */
  async moveOn(): Promise<void> {
    const { jobs, times, clock } = this.#context;
    const taken = this.#last?.startTime ?? clock.now();
    const moment = { after: recordKey(this.#name, taken), before: recordKey(this.#name, taken + MOMENT) };
    let newest = taken;
    for await (const { key } of jobs.keys({ ...moment, reverse: true })) {
      if (!isRecordKey(key)) continue;
      newest = key.startTime;
      break;
    }
    times.taken(this.#name, newest);
  }
}
