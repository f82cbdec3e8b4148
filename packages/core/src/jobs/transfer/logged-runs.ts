import type { Channel } from "../../channel/channel.js";
import type { CallOptions } from "../../channel/types.js";
import { type LogsValue, runOfKey } from "../logs/chunk.js";
import type { RunRef } from "../run-id.js";

/** How many keys are read at once. */
const AT_ONCE = 200;

/** The runs of one name that have a log, as far as they were read. */
interface OfName {
  /** Their start times, the latest first. */
  times: number[];
  /** All from this start time on were read. */
  from: number;
}

/**
 * Which runs have a log. Of each name, ask for the latest run first. Reads only keys, a page at a time: to
 * ask for the log of each run would cost a call for each.
 */
export class LoggedRuns {
  readonly #logs: Channel<LogsValue>;
  readonly #options: CallOptions;
  readonly #names: Map<string, OfName> = new Map();

  constructor(logs: Channel<LogsValue>, options: CallOptions) {
    this.#logs = logs;
    this.#options = options;
  }

  async has({ name, startTime }: RunRef): Promise<boolean> {
    const known = this.#names.get(name) ?? { times: [], from: startTime + 1 };
    this.#names.set(name, known);
    while (startTime < known.from) await this.#readMore(name, known);
    known.times = known.times.filter((time) => time <= startTime);
    return known.times[0] === startTime;
  }

  async #readMore(name: string, known: OfName): Promise<void> {
    let count = 0;
    let last = known.from;
    const range = { prefix: [name], before: [name, known.from], reverse: true, limit: AT_ONCE, ...this.#options };
    for await (const { key } of this.#logs.keys(range)) {
      count++;
      const time = runOfKey(key)?.startTime;
      if (time === undefined || time === last) continue;
      last = time;
      known.times.push(time);
    }
    known.from = count < AT_ONCE ? Number.NEGATIVE_INFINITY : last;
  }
}
