import { expect } from "vitest";
import { isChannelError } from "../../channel/errors.js";
import { isRunError } from "../../jobs/errors.js";
import type { JobManager } from "../../jobs/manager.js";
import type { RetryOptions, Run, RunOptions, RunRecord } from "../../jobs/types.js";
import type { FakeClock } from "../fake-clock.js";
import type { Dice } from "./dice.js";
import { KEPT } from "./laws/completed-once.js";
import type { Laws } from "./laws/laws.js";
import { RATE } from "./laws/rates.js";
import { WINDOW } from "./laws/started-once.js";
import type { AddedTo, Ledger } from "./ledger.js";
import type { WrittenLogs } from "./logs/written-logs.js";
import type { FakeProcess } from "./process.js";
import { askRollups, countOf } from "./rollups/cells.js";

/** The plan of the workers of a simulation, and the observers that they report to. */
export interface Plan {
  readonly ttl: number;
  readonly names: readonly string[];
  /** The lock of all runs; `undefined` if each has the lock of its name. */
  readonly lock: string | undefined;
  /** The share of runs that do not wait for their lock, 0 to 1: waiters in order hide races. */
  readonly impatient: number;
  /** Whether locks are unlocked by force, which excuses two holders for a while. */
  readonly unlocks: boolean;
  /** Whether runs are cancelled by other processes, and names held for maintenance. */
  readonly cancels: boolean;
  readonly holds: boolean;
  /** Whether failed runs are retried. */
  readonly retries: boolean;
  /** Whether workers query rollups, which folds the records. */
  readonly rollups: boolean;
  /** Whether programs write open records back with a field of their own. */
  readonly writesBack: boolean;
  /** Whether runs start once in a window. */
  readonly once: boolean;
  /** The number of keys that runs complete once; 0 if no run has a key. */
  readonly keys: number;
  /** The permits of runs, and their limits. */
  readonly permits: { readonly [permit: string]: number };
  /** Whether some runs have the rate of the laws. */
  readonly rate: boolean;
  /** The logs of the runs, if they write any. */
  readonly logs: WrittenLogs | undefined;
  readonly dice: Dice;
  readonly clock: FakeClock;
  readonly laws: Laws;
  readonly ledger: Ledger;
  note(text: string): void;
  /** Reports an error that should not have been thrown. */
  failed(error: unknown): void;
}

/** Runs jobs in a process, and forces some unlocks. */
export class Worker {
  readonly #name: string;
  readonly #process: FakeProcess;
  readonly #manager: JobManager;
  readonly #plan: Plan;
  /** The locks of the bodies that run. */
  readonly #inside: string[] = [];

  constructor(name: string, process: FakeProcess, manager: JobManager, plan: Plan) {
    this.#name = name;
    this.#process = process;
    this.#manager = manager;
    this.#plan = plan;
  }

  /** Does one action after the other while `goesOn` returns `true`. */
  work(goesOn: () => boolean): void {
    const { dice, failed, ttl } = this.#plan;
    // Now and then it rests so long that its unused session ends.
    const rest = dice.chance() < 0.03 ? dice.between(ttl, 3 * ttl) : dice.between(0, 1_000);
    this.#process.after(rest, () => {
      if (!goesOn()) return;
      void this.#oneThing()
        .catch((error: unknown) => {
          if (!isRunError(error) && !isChannelError(error) && !(error instanceof BodyError)) failed(error);
        })
        .then(() => this.work(goesOn));
    });
  }

  #oneThing(): Promise<void> {
    const { dice, unlocks, cancels, holds, logs, rollups, writesBack } = this.#plan;
    if (unlocks && dice.chance() < 0.06) return this.#unlock();
    if (cancels && dice.chance() < 0.15) return this.#cancel();
    if (holds && dice.chance() < 0.04) return this.#hold();
    if (logs !== undefined && logs.ids.length > 0 && dice.chance() < 0.1) return this.#readLog(logs);
    if (rollups && dice.chance() < 0.15) return this.#fold();
    if (writesBack && dice.chance() < 0.3) return this.#writeBack();
    return this.#oneRun();
  }

  async #fold(): Promise<void> {
    this.#plan.note(`${this.#name} folds`);
    const rollups = await askRollups(this.#manager, this.#process.now());
    this.#plan.ledger.counted(countOf(rollups));
  }

  async #writeBack(): Promise<void> {
    const { dice, names, note } = this.#plan;
    const { jobs } = this.#manager.channels;
    const name = dice.pick(names);
    for await (const { key, value, version } of jobs.entries({ prefix: { name }, reverse: true, limit: 3 })) {
      if (value.status !== "running") continue;
      note(`${this.#name} writes ${value.id} back`);
      const added: AddedTo = { ...value, added: ((value as AddedTo).added ?? 0) + 1 };
      await jobs.commit([
        { check: key, version },
        { put: key, value: added },
      ]);
    }
  }

  async #readLog(logs: WrittenLogs): Promise<void> {
    const { dice, failed } = this.#plan;
    const id = dice.pick(logs.ids.slice(-5));
    await logs.check(this.#manager, id, false).catch((error: unknown) => {
      if (isChannelError(error)) throw error;
      failed(error);
    });
  }

  async #hold(): Promise<void> {
    const { clock, dice, laws, names, note, ttl } = this.#plan;
    const { lock = dice.pick(names) } = this.#plan;
    const life = dice.between(500, 2 * ttl);
    const began = clock.monotonic();
    const until = this.#process.now() + life;
    await this.#manager.hold(lock, { reason: "simulated", until });
    note(`${this.#name} holds ${lock}`);
    // The process reads its clock in whole ms.
    laws.holding(lock, began + life - 2);
  }

  async #cancel(): Promise<void> {
    const { dice, ledger, names, note } = this.#plan;
    const name = dice.pick(names);
    const reason = ledger.asking(name);
    note(`${this.#name} cancels ${name}`);
    const { run, ended } = await this.#manager.cancel(name, { reason, wait: dice.between(0, 3_000) });
    if (run !== undefined) ledger.asked(reason, run, ended);
  }

  async #unlock(): Promise<void> {
    const { clock, dice, laws, names, note, ttl } = this.#plan;
    // Often unlock a name that runs in this process: the process can signal that body first.
    const own = this.#inside.length > 0 && dice.chance() < 0.5;
    const lock = own ? dice.pick(this.#inside) : (this.#plan.lock ?? dice.pick(names));
    const unlocked = laws.unlocking(lock, this.#process);
    note(`${this.#name} unlocks ${lock}`);
    try {
      await this.#manager.unlock(lock, { reason: "simulated" });
    } finally {
      // A commit without an answer may be applied late.
      clock.after(4 * ttl, unlocked);
    }
  }

  async #oneRun(): Promise<void> {
    const { dice, impatient, laws, ledger, names, note, ttl } = this.#plan;
    const process = this.#process;
    const name = dice.pick(names);
    const takes = dice.chance() < 0.7 ? dice.between(0, 600) : dice.between(0, 4 * ttl);
    const obeys = dice.chance() < 0.7;
    const key = this.#key();
    const retry = key === undefined ? this.#retry() : undefined;
    const once = key !== undefined ? {} : this.#plan.once && dice.chance() < 0.6 ? { once: { per: WINDOW } } : {};
    const permits = this.#permits();
    const hasRate = this.#plan.rate && dice.chance() < 0.7;
    const fails = dice.chance() < (retry === undefined ? 0.1 : 0.5);
    const stop = new AbortController();
    // A cancelled retry series ends early: the ledger could not distinguish it from a lost one.
    if (retry === undefined && dice.chance() < 0.1) process.after(dice.between(0, 2_000), () => stop.abort());
    let begun: Run | undefined;
    const body = async (run: Run): Promise<string> => {
      begun = run;
      // A run that was handed over is repeated, and has its start from the first time.
      if ("once" in once && run.chain === run.id) laws.once.entered(run);
      this.#enter(run);
      this.#inside.push(run.lock);
      const stopLines = this.#writeLines(run);
      await new Promise<void>((resolve) => {
        process.after(takes, resolve);
        if (obeys) run.signal.addEventListener("abort", () => resolve());
      });
      const closing = isClosing(run) ? run.signal.reason : undefined;
      // The body cleans up.
      if (closing !== undefined) await new Promise<void>((resolve) => process.after(dice.between(0, 2 * ttl), resolve));
      this.#inside.splice(this.#inside.indexOf(run.lock), 1);
      stopLines();
      laws.leave(run);
      // A run may be handed over even if its process continues.
      const handsOver =
        key === undefined && dice.chance() < (closing !== undefined ? 0.3 : retry !== undefined ? 0.1 : 0);
      if (handsOver) {
        note(`${this.#name} hands over ${run.id}`);
        await run.handOver("simulated");
        return HANDED_OVER;
      }
      if (closing !== undefined && dice.chance() < 0.6) throw closing;
      if (fails) throw new BodyError("the body failed");
      return `result of ${run.fence}`;
    };
    const wait = dice.chance() < impatient ? 0 : dice.between(0, 4_000);
    const options = {
      timeout: dice.between(200, 5 * ttl),
      wait,
      signal: stop.signal,
      ...(this.#plan.lock !== undefined && { lock: this.#plan.lock }),
      ...once,
      ...(permits && { permits }),
      ...(hasRate && { rate: RATE }),
      ...(retry && { retry }),
    };
    try {
      if (key !== undefined) {
        const { lock: _, ...others } = options;
        const { first, result } = await this.#manager.once(name, key, body, { ...others, keep: KEPT });
        laws.keys.got(`${name} ${key}`, result);
        if (first && begun !== undefined) ledger.told(begun, "completed");
        if (!first) note(`${this.#name} gets ${result} for ${name} ${key}`);
        return;
      }
      const start = retry !== undefined || dice.chance() < 0.7 ? runByManager : runByHand;
      const record = await start(this.#manager, name, body, options);
      if (record.handedOver === true) return;
      expect(record.result).toBe(`result of ${begun?.fence}`);
      if (begun !== undefined) ledger.told(begun, "completed");
    } catch (error) {
      if (isRunError(error) && error.code === "STARTED") this.#plan.note(`${this.#name} skips ${name}`);
      if (isRunError(error) && begun !== undefined) ledger.told(begun, error.code);
      // No program of the simulation closes, overwrites or removes a record.
      if (isRunError(error) && error.message.includes("is not recorded")) this.#plan.failed(error);
      throw error;
    }
  }

  /** Writes lines at once, and repeatedly. The returned function writes the last ones. */
  #writeLines(run: Run): () => void {
    const { dice, logs } = this.#plan;
    if (logs === undefined) return () => {};
    let cancel = (): void => {};
    const write = (): void => {
      if (run.signal.aborted) return;
      logs.write(run, Math.floor(dice.between(0, dice.chance() < 0.1 ? 60 : 6)));
      cancel = this.#process.after(dice.between(10, 200), write);
    };
    write();
    return () => {
      cancel();
      write();
      cancel();
    };
  }

  /** For some runs one of the keys, each of which becomes more and more likely to be done. */
  #key(): string | undefined {
    const { clock, dice, keys } = this.#plan;
    if (keys === 0 || dice.chance() < 0.4) return undefined;
    return `k${Math.floor(clock.monotonic() / 2_000)}-${Math.floor(dice.between(0, keys))}`;
  }

  #retry(): RetryOptions | undefined {
    const { dice, retries } = this.#plan;
    if (!retries || dice.chance() < 0.5) return undefined;
    const backoff = dice.chance() < 0.5 ? "fixed" : "exponential";
    const attempts = Math.floor(dice.between(2, 4));
    return { attempts, delay: dice.between(0, 1_500), backoff, onLost: dice.chance() < 0.5 };
  }

  /** For some runs one of the permits, for others all. */
  #permits(): RunOptions["permits"] {
    const { dice, permits } = this.#plan;
    const all = Object.entries(permits);
    if (all.length === 0 || dice.chance() < 0.3) return undefined;
    return dice.chance() < 0.5 ? permits : Object.fromEntries([dice.pick(all)]);
  }

  #enter(run: Run): void {
    // The lease was over before the body began, and its signal has fired.
    if (run.signal.aborted) return;
    const { laws, ledger, note } = this.#plan;
    const which = run.attempt > 1 ? `, for attempt ${run.attempt}` : "";
    note(`${this.#name} enters ${run.name} with ${run.fence}${which}`);
    ledger.begun(run);
    laws.enter({ lock: run.lock, process: this.#process, run });
  }
}

const HANDED_OVER = "handed over";

function isClosing({ signal }: Run): boolean {
  return signal.aborted && isRunError(signal.reason) && signal.reason.code === "CLOSING";
}

class BodyError extends Error {}

type Body = (run: Run) => Promise<string>;

async function runByManager(manager: JobManager, name: string, body: Body, options: RunOptions): Promise<RunRecord> {
  return (await manager.run(name, body, options)).record;
}

async function runByHand(manager: JobManager, name: string, body: Body, options: RunOptions): Promise<RunRecord> {
  const run = await manager.start(name, options);
  try {
    const result = await body(run);
    if (result === HANDED_OVER) throw new BodyError(result);
    return await run.end(result);
  } catch (error) {
    if (isRunError(error) && error.code === "CLOSING") await run.cancel().catch(() => {});
    if (error instanceof BodyError) await run.fail(error);
    throw error;
  }
}
