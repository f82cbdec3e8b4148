import type { Op, Tick, Version } from "@ojm/core";
import type { ChannelOps, StartClaim, StartingRun } from "@ojm/core/internal";
import { REQUEST_TTL, type RequestValue, requestKey, type SchedulesValue } from "../store/schema.js";
import type { ScheduleStore, Versioned } from "../store/store.js";
import { Changed } from "./claim.js";

/** A request that is not answered. */
export interface Request extends Versioned<RequestValue> {
  readonly name: string;
  readonly id: string;
}

/** What the claim of a request writes besides its answer. */
export interface More {
  readonly tick: Tick;
  ops(run: StartingRun): readonly Op<SchedulesValue>[];
  /** What is written if the run could not start after all. `version`: that of what `ops` wrote. */
  undo(run: StartingRun, version: Version): readonly Op<SchedulesValue>[];
  /** Reads again what `ops` checks. Resolves to whether the run may start. */
  holds(): Promise<boolean>;
}

/** The claim of a run that somebody asked for: the answer is in the commit that takes the lock. */
export class RequestClaim implements StartClaim {
  readonly tick?: Tick;
  readonly #store: ScheduleStore;
  readonly #request: Request;
  readonly #answer: (run: StartingRun) => RequestValue;
  readonly #more: More | undefined;

  constructor(store: ScheduleStore, request: Request, answer: (run: StartingRun) => RequestValue, more?: More) {
    this.#store = store;
    this.#request = request;
    this.#answer = answer;
    this.#more = more;
    if (more !== undefined) this.tick = more.tick;
  }

  ops(run: StartingRun): ChannelOps<SchedulesValue>[] {
    const key = requestKey(this.#request.name, this.#request.id);
    const ops: Op<SchedulesValue>[] = [
      { check: key, version: this.#request.version },
      { put: key, value: this.#answer(run), ttl: REQUEST_TTL },
      ...(this.#more?.ops(run) ?? []),
    ];
    return [{ channel: this.#store.channel, ops }];
  }

  async refused(): Promise<void> {
    const { name, id, version } = this.#request;
    const entry = await this.#store.channel.entry(requestKey(name, id));
    if (entry?.version !== version) throw new Changed();
    // The same ops would be refused again and again.
    if (this.#more !== undefined && !(await this.#more.holds())) throw new Changed();
  }

  undo(run: StartingRun, version: Version): ChannelOps<SchedulesValue>[] {
    const { name, id, value } = this.#request;
    const key = requestKey(name, id);
    const ops: Op<SchedulesValue>[] = [
      { check: key, version },
      { put: key, value, ttl: REQUEST_TTL },
      ...(this.#more?.undo(run, version) ?? []),
    ];
    return [{ channel: this.#store.channel, ops }];
  }
}
