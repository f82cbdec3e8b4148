import type { Channel } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { Entry } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { isLockError, type LockError } from "../locks/errors.js";
import type { Lease } from "../locks/lease.js";
import type { Companion, Holder } from "../locks/types.js";
import { fieldsOf, isTime } from "../shape.js";
import { isRunError, RunError } from "./errors.js";
import { OpenRun, type RunHome } from "./open-run.js";
import type { CheckedOptions } from "./options.js";
import { isRecord, isRecordKey } from "./read.js";
import { recordKey, startedRecord } from "./record.js";
import { TickClaim } from "./tick.js";
import type { RunRecord } from "./types.js";

/** So many names are remembered; one that is forgotten costs a read when its start time is taken. */
const REMEMBERED = 10_000;

/** How far, in ms, a start time looks ahead for others that are taken. */
const MOMENT = 1_000;

/** Gives out start times: two runs of a name never have the same. */
export class StartTimes {
  readonly #last: Map<string, number> = new Map();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(name: string): number {
    return Math.max(this.#clock.now(), (this.#last.get(name) ?? 0) + 1);
  }

  taken(name: string, startTime: number): void {
    if (this.#last.size >= REMEMBERED) this.#last.clear();
    this.#last.set(name, startTime);
  }
}

/** Takes the lock of a name and writes the record of a run: in one step where one store holds both, else in this order. */
export class Start {
  readonly #home: RunHome;
  readonly #times: StartTimes;
  readonly #name: string;
  readonly #options: CheckedOptions;
  readonly #claim: TickClaim | undefined;
  #record: RunRecord | undefined;
  #run: OpenRun | undefined;
  #over: LockError | undefined;

  constructor(home: RunHome, times: StartTimes, name: string, options: CheckedOptions) {
    this.#home = home;
    this.#times = times;
    this.#name = name;
    this.#options = options;
    const { tick } = options;
    this.#claim = tick === undefined ? undefined : new TickClaim(home.locks, home.clock, name, tick);
  }

  async run(): Promise<OpenRun> {
    const { jobs, locks } = this.#home;
    const joined = locks.channel.joins(jobs);
    const lease = await this.#acquire(joined);
    if (joined) return this.#open(lease, lease.fence);
    try {
      return await this.#writeRecord(lease);
    } catch (error) {
      // A record that may be there after all must not be left without the lock that leads to it.
      if (isNotWritten(error)) await locks.release(lease, this.#claim?.back(lease.fence)).catch(() => {});
      else locks.giveUp(lease);
      throw error;
    }
  }

  async #acquire(joined: boolean): Promise<Lease> {
    const { jobs, locks } = this.#home;
    const { timeout, wait, signal, tick } = this.#options;
    const companion: Companion = {
      ...(joined && { channel: jobs as Channel<unknown> }),
      prepare: (holder) => {
        const value = this.#prepare(holder);
        const key = recordKey(value.name, value.startTime);
        const ops = joined
          ? [
              { check: key, version: null },
              { put: key, value },
            ]
          : [];
        const note = { run: value.startTime, ...(tick && { tick: tick.at }) };
        return { note, ops, ...(this.#claim && { beside: this.#claim.ops(holder) }) };
      },
      refused: async () => {
        await this.#claim?.look();
        await this.#moveOn();
      },
    };
    await this.#claim?.look();
    try {
      // The run closes its record, and gives back the lock with it.
      const hooks = { companion, onOver: (_lease: Lease, error: LockError) => this.#onLeaseOver(error) };
      return await locks.acquire(this.#name, { timeout, wait, ...(signal && { signal }) }, hooks);
    } catch (error) {
      // Whoever has the lock may have it for this very tick.
      if (isLockError(error) && signal?.aborted !== true) await this.#claim?.look();
      throw this.#explain(error);
    }
  }

  #prepare(holder: Holder): RunRecord {
    const startTime = this.#times.next(this.#name);
    const { trigger, timeout, tick } = this.#options;
    this.#record = startedRecord({ name: this.#name, startTime, holder, trigger, timeout, tick: tick?.at });
    return this.#record;
  }

  /**
   * Another process took this very millisecond: go on behind the newest run of that moment. Not behind the newest of all, which a machine whose
   * date was wrong may have written: all that follow would tell times from the future.
   */
  async #moveOn(): Promise<void> {
    const taken = this.#record?.startTime ?? this.#home.clock.now();
    const moment = { after: recordKey(this.#name, taken), before: recordKey(this.#name, taken + MOMENT) };
    let newest = taken;
    for await (const { key } of this.#home.jobs.keys({ ...moment, reverse: true })) {
      if (!isRecordKey(key)) continue;
      newest = key.startTime;
      break;
    }
    this.#times.taken(this.#name, newest);
  }

  async #writeRecord(lease: Lease): Promise<OpenRun> {
    const { holder } = lease.session;
    for (;;) {
      const record = { ...(this.#record ?? this.#prepare(holder)), holder, fence: lease.fence };
      const outcome = await this.#home.jobs.compareAndSet(recordKey(record.name, record.startTime), null, record);
      if (outcome.ok) return this.#open(lease, outcome.version, record);
      const { current } = outcome;
      if (current !== undefined && isRecord(current) && current.value.fence === lease.fence)
        return this.#adopt(lease, current);
      await this.#moveOn();
      this.#prepare(holder);
    }
  }

  /** The record is there: an answer was lost, and the driver made the write again; or somebody closed the run before it was open. */
  #adopt(lease: Lease, { value, version }: Entry<RunRecord>): OpenRun {
    if (value.status === "running") return this.#open(lease, version, value);
    const text = `the run of "${this.#name}" was closed by somebody else before it began: ${value.error ?? value.status}`;
    throw new RunError("LOST", this.#name, text);
  }

  #onLeaseOver(error: LockError): void {
    this.#over = error;
    this.#run?.leaseOver(error);
  }

  #open(lease: Lease, version: string, record: RunRecord | undefined = this.#record): OpenRun {
    const written = record ?? this.#prepare(lease.session.holder);
    this.#times.taken(this.#name, written.startTime);
    this.#run = new OpenRun(this.#home, lease, written, version);
    // The record may have taken longer to write than the lock is held, with the timers that tell it still to come.
    lease.expire();
    // While the record was being written, there was no run to be told.
    if (this.#over !== undefined) this.#run.leaseOver(this.#over);
    return this.#run;
  }

  #explain(error: unknown): unknown {
    const { signal } = this.#options;
    const aborted = isLockError(error) || (isChannelError(error) && error.code === "ABORTED");
    if (signal?.aborted === true && aborted) {
      return new RunError("CANCELLED", this.#name, `the wait for "${this.#name}" was cancelled`, {
        cause: signal.reason,
      });
    }
    if (!isLockError(error)) return error;
    const text = `Can't lock to execute job '${this.#name}': ${error.message}`;
    return new RunError("LOCKED", this.#name, text, { ...(error.held && { held: error.held }) });
  }
}

/** Whether the record is certainly not open by us. Of an error that is none of ours, a driver's own, nobody knows. */
function isNotWritten(error: unknown): boolean {
  return isRunError(error) || (isChannelError(error) && error.outcome === "not-applied");
}

/** Which run a lock is held for, and for which tick, as its note says. */
export function runOf(lock: { readonly note?: unknown }): { readonly startTime?: number; readonly tick?: number } {
  const { run, tick } = fieldsOf<{ run: number; tick: number }>(lock.note) ?? {};
  return { ...(isTime(run) && { startTime: run }), ...(isTime(tick) && { tick }) };
}
