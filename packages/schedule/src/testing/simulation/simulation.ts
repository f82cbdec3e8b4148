import {
  type CloseOptions,
  isChannelError,
  isRunError,
  type JobManager,
  openJobManager,
  type PendingRetry,
  type Run,
  type RunRecord,
} from "@ojm/core";
import type { Backend, StoredChange } from "@ojm/core/backend";
import { versionOf } from "../../../../core/src/channel/encoding/version.js";
import { FakeClock } from "../../../../core/src/testing/fake-clock.js";
import { collect } from "../../../../core/src/testing/settle.js";
import { Chaos } from "../../../../core/src/testing/simulation/chaos.js";
import { Dice } from "../../../../core/src/testing/simulation/dice.js";
import { isLock } from "../../../../core/src/testing/simulation/entry-kinds.js";
import { SessionLives } from "../../../../core/src/testing/simulation/laws/session-lives.js";
import { FakeProcess } from "../../../../core/src/testing/simulation/process.js";
import { FaultyBackend } from "../../../../core/src/testing/stores/faulty-backend.js";
import { SharedStore } from "../../../../core/src/testing/stores/shared-store.js";
import { isScheduleError } from "../../calendar/schedule.js";
import type { ScheduleDefinition } from "../../definition/types.js";
import { openScheduler, type Scheduler } from "../../scheduler.js";
import { iso, ticksOf, Witness } from "./witness.js";

const TTL = 3_000;
const PROCESSES = 3;

/** How long all calls succeed before the check, in ms: longer than a dead member counts as living. */
const CALM = 90_000;

/** A tick is decided within this time, in ms, if the responsible members died. */
const DECIDED_WITHIN = 25_000;

/** An attempt is made within this time after it was due, in ms: other runs of the job may be ahead of it. */
const RETRIED_WITHIN = 60_000;

/** The furthest that a wall clock may be behind another one, in ms. */
const FURTHEST_BEHIND = 1_300_000;

/** The range by which a wrong clock is off, in ms. The first wrong one is ahead, the next behind. */
const WRONG: readonly [number, number] = [5_400_000, 10_800_000];

/** A bug that is planted between the schedulers and the store. */
export interface PlantedBug {
  readonly name: string;
  /** Matches the error of the law that finds it. */
  readonly caughtAs: RegExp;
  plant(store: Backend): Backend;
  /** How its schedulers close, if the bug is there. */
  close?(scheduler: Scheduler, options: CloseOptions): Promise<void>;
  /** The only schedule. Default: chosen by the seed. */
  readonly only?: string;
}

export interface SimulationOptions {
  readonly bug?: PlantedBug;
  /** How long chaos lasts, in ms. Default: 60,000. */
  readonly length?: number;
}

/** The schedules, by the number of their deploys. A run takes up to twice as long as its interval. */
const DEFINITIONS: Readonly<Record<string, readonly ScheduleDefinition[]>> = {
  retries: [
    { every: 5_000, retry: { attempts: 3, delay: 1_000, onLost: true } },
    { every: 5_000, retry: { attempts: 2, delay: 4_000, onLost: true }, overlap: "queue", missed: "all" },
    { every: 6_000, retry: { attempts: 3, delay: 5_000 }, overlap: "replace" },
  ],
  skips: [{ every: 2_000 }, { every: 3_000, jitter: 500 }, { every: 2_000, missed: "none" }],
  queues: [
    { every: 5_000, overlap: "queue", missed: "all" },
    { every: 5_000, overlap: "queue", missed: { run: "all", max: 3 }, jitter: 1_000 },
    { every: 7_000, overlap: "queue", missed: "latest" },
  ],
  replaces: [
    { cron: "*/4 * * * * *", overlap: "replace" },
    { cron: "*/6 * * * * *", overlap: "replace", timeout: 9_000 },
  ],
};

/** The share of bodies whose process closes meanwhile. */
const DEPLOYED = 0.15;

/** How late a process may notice the end of its lease, in ms. */
const LATE = 50;

function codeOf({ reason }: AbortSignal): unknown {
  return isRunError(reason) ? reason.code : undefined;
}

/** A living process. */
interface Living {
  readonly scheduler: Scheduler;
  readonly process: FakeProcess;
  end(how: "dies" | "closes"): void;
}

/** A body that runs. */
interface Inside {
  readonly process: FakeProcess;
  readonly run: Run;
  readonly stops: number;
  /** When it began, by the clock of the simulation. */
  readonly began: number;
}

/**
 * Several processes run the same schedules on a store that is slow, loses requests and replies, applies
 * commits late or twice, and is restarted. They are stopped, killed, cut off and deployed again, and their
 * wall clocks jump. Schedules are paused and resumed. A seed decides everything.
 */
export class Simulation {
  readonly clock: FakeClock;
  readonly timeline: string[] = [];
  readonly witness: Witness = new Witness(() => this.clock.now());
  readonly #dice: Dice;
  /** The dice of the maintenance: apart, so that it changes no seed without one. */
  readonly #shifts: Dice;
  readonly #isMaintained: boolean;
  readonly #chaos: Chaos;
  readonly #bug: PlantedBug | undefined;
  readonly #length: number;
  readonly #alive: Map<JobManager, Living> = new Map();
  readonly #ways: Set<FaultyBackend> = new Set();
  readonly #inside: Set<Inside> = new Set();
  /** The number of deploys of each schedule. */
  readonly #deployed: Map<string, number> = new Map();
  readonly #names: readonly string[];
  /** Whether the store has watches. Without them, a process uses state that it read some seconds ago. */
  readonly #watch: boolean;
  /** Whether records and locks are in two stores. */
  readonly #apart: boolean;
  readonly #lives: SessionLives;
  /** The processes that are closing, and when the grace of their bodies is over. */
  readonly #closing: Map<FakeProcess, number> = new Map();
  /** The session that took each lock, by its fence. */
  readonly #sessions: Map<string, string> = new Map();
  #over = false;
  /**
   * A lock or a ticket was written again after its removal. No process knows of it, so it stays for as long
   * as its session lives.
   */
  #tainted = false;
  /** Until then there is no process, by the monotonic clock. */
  #outage = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(seed: number, { bug, length = 60_000 }: SimulationOptions = {}) {
    this.#bug = bug;
    this.#length = length;
    this.clock = new FakeClock(seed);
    this.#dice = new Dice(seed * 7_919);
    this.#shifts = new Dice(seed * 104_729);
    this.#isMaintained = seed % 3 === 1;
    this.#lives = new SessionLives(this.clock, TTL);
    this.#watch = seed % 5 < 3;
    this.#apart = seed % 7 > 4;
    const names = Object.keys(DEFINITIONS);
    if (bug?.only !== undefined) this.#names = [bug.only];
    else this.#names = seed % 6 === 5 ? names : [names[seed % names.length] as string];
    const note = (text: string): void => this.note(text);
    this.#chaos = new Chaos({ dice: this.#dice, clock: this.clock, ttl: TTL, length, note });
    this.clock.afterStep = () => this.#guarded(() => this.witness.flush());
  }

  note(text: string): void {
    this.timeline.push(`${Math.round(this.clock.monotonic() - 1_000)} ${text}`);
  }

  async run(): Promise<void> {
    process.on("warning", this.#warned);
    try {
      await this.#run();
    } finally {
      process.off("warning", this.#warned);
    }
  }

  /** An error of background work is a fault of the package. */
  readonly #warned = (warning: Error & { readonly code?: string }): void => {
    if (warning.code === "OJM_BACKGROUND") this.#failed(warning);
  };

  async #run(): Promise<void> {
    const store = await SharedStore.open(this.clock);
    await store.memory.watch(
      { from: "", to: "\uFFFF" },
      { change: (change) => this.#guarded(() => this.#applied(change)), gap: () => {}, fail: () => {} },
    );
    this.#chaos.restarts(store, () => {
      for (const way of this.#ways) way.hangUp();
    });
    for (let i = 0; i < PROCESSES; i++) this.#keepAlive(store, i);
    this.#control();
    this.#maintain();
    this.#outages(store);
    this.#wrongClocks();
    await this.clock.advance(this.#length);
    this.#throwFailure();
    this.#over = true;
    this.#chaos.end();
    await this.#calm();
    await this.#end();
    this.#throwFailure();
  }

  #applied(stored: StoredChange): void {
    // In the form of fences.
    const change = { ...stored, version: versionOf(stored.version) };
    const { key, value, version } = change;
    this.witness.applied(change);
    this.#lives.applied(change);
    if (isLock(key) && value !== null) this.#sessions.set(version, JSON.parse(value).holder.instance);
  }

  #failed(error: unknown): void {
    this.note(`FAILED: ${error}`);
    this.#failure ??= { error };
  }

  #guarded(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#failed(error);
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Starts a process, and restarts it whenever it dies: perhaps with newer definitions. */
  #keepAlive(store: SharedStore, i: number): void {
    // Processes that end in the calm end only because of the taint.
    if (this.#over && !this.#tainted) return;
    const away = this.#outage - this.clock.monotonic();
    if (away > 0) {
      this.clock.after(away, () => this.#keepAlive(store, i));
      return;
    }
    const process = new FakeProcess(this.clock, this.#dice.chance);
    process.ahead = this.#dice.between(-1_000, 1_000);
    if (this.#dice.chance() < 0.3) {
      const name = this.#dice.pick(this.#names);
      this.#deployed.set(name, (this.#deployed.get(name) ?? 0) + 1);
    }
    void this.#live(store, i, process).catch((error: unknown) => {
      if (!isChannelError(error)) this.#failed(error);
      process.die();
      this.clock.after(500, () => this.#keepAlive(store, i));
    });
  }

  async #live(store: SharedStore, i: number, process: FakeProcess): Promise<void> {
    const way = this.#way(store, process, `${i}`);
    const jobsWay = this.#apart ? this.#way(store, process, `${i}`) : way;
    const chLocks = { backend: this.#bug?.plant(way) ?? way };
    const chJobs = this.#apart ? { backend: jobsWay } : chLocks;
    const manager = await openJobManager({ chJobs, chLocks, clock: process, ttl: TTL });
    const scheduler = openScheduler(manager, { clock: process, instance: `${i}-${this.clock.random(4)}` });
    try {
      for (const name of this.#names) {
        const definition = this.#definitionOf(name);
        await scheduler.add(name, definition, (run) => this.#body(process, run));
        this.note(`${i} adds ${name} ${JSON.stringify(definition)}`);
      }
    } catch (error) {
      await scheduler.close();
      await manager.close().catch(() => {});
      throw error;
    }
    const end = (how: "dies" | "closes"): void => {
      const isFirst = this.#alive.delete(manager);
      if (how === "dies") process.die();
      else if (isFirst) process.after(0, () => void this.#close(manager, scheduler, process));
      for (const one of this.#inside) if (one.process === process && process.dead) this.#inside.delete(one);
      // A process that closes may die meanwhile.
      if (!isFirst) return;
      this.clock.after(this.#dice.between(100, TTL), () => this.#keepAlive(store, i));
    };
    this.#alive.set(manager, { scheduler, process, end });
    if (this.#outage > this.clock.monotonic()) end("dies");
    if (this.#over) return;
    this.#chaos.harm({ name: `${i}`, process, ways: [way, jobsWay], end });
  }

  async #close(manager: JobManager, scheduler: Scheduler, process: FakeProcess): Promise<void> {
    const grace = this.#dice.chance() < 0.2 ? 0 : this.#dice.between(500, 3 * TTL);
    const over = this.clock.monotonic() + grace;
    this.#closing.set(process, over);
    const close = this.#bug?.close ?? ((one: Scheduler, options: CloseOptions) => one.close(options));
    try {
      await close(scheduler, { grace });
      await manager.close({ grace: 0 });
    } catch (error) {
      if (!isChannelError(error)) this.#failed(error);
    }
  }

  /** The definition of the latest deploy. Each is different, if only by its `meta`. */
  #definitionOf(name: string): ScheduleDefinition {
    const deployed = this.#deployed.get(name) ?? 0;
    const all = DEFINITIONS[name] as readonly ScheduleDefinition[];
    return { ...(all[deployed % all.length] as ScheduleDefinition), meta: { deployed } };
  }

  #way(store: SharedStore, process: FakeProcess, name: string): FaultyBackend {
    const way = new FaultyBackend(store, this.clock, this.#watch ? {} : { watch: false });
    way.heard = process.heard;
    way.sent = (commit) => this.#lives.sent(commit);
    way.answered = (commit) => this.#lives.answered(commit);
    way.fault = (call) => this.#chaos.fault(name, call);
    way.repeated = ({ writes }) => {
      if (!writes.some(({ key, value }) => key.startsWith('oJobManager-locks ["lock ') && value !== null)) return;
      this.note("a released lock or ticket is written again, without an owner");
      this.#tainted = true;
    };
    this.#ways.add(way);
    return way;
  }

  async #body(process: FakeProcess, run: Run): Promise<void> {
    if (run.signal.aborted) return;
    if (this.#closing.has(process)) this.#failed(new Error(`${run.id} begins in a process that is closing`));
    const me: Inside = { process, run, stops: process.stops, began: this.clock.monotonic() };
    for (const other of this.#inside) {
      const { run: its } = other;
      // A process that is or was stopped may not know yet that it lost its lock.
      const knows = other.process.running && other.process.stops === other.stops;
      const isHolder = !its.signal.aborted || this.#isCleaning(other);
      if (its.name === run.name && isHolder && knows && process.running)
        this.#failed(new Error(`two runs of ${run.name} at once: ${its.id} and ${run.id}`));
    }
    this.#inside.add(me);
    const takes = this.#dice.chance() < 0.7 ? this.#dice.between(0, 1_000) : this.#dice.between(0, 10_000);
    const obeys = this.#dice.chance() < 0.7;
    if (this.#dice.chance() < DEPLOYED) this.#deployDuring(process, takes);
    await new Promise<void>((resolve) => {
      process.after(takes, resolve);
      if (obeys) run.signal.addEventListener("abort", () => resolve());
    });
    const isClosing = codeOf(run.signal) === "CLOSING";
    if (isClosing) await new Promise<void>((resolve) => process.after(this.#dice.between(0, 2 * TTL), resolve));
    this.#inside.delete(me);
    // A run may be handed over even if its process continues.
    if (this.#dice.chance() < (isClosing ? 0.3 : 0.05)) {
      this.note(`${run.id} is handed over`);
      await run.handOver("simulated");
      return;
    }
    if (isClosing && this.#dice.chance() < 0.5) throw run.signal.reason;
    if (this.#dice.chance() < 0.1) throw new Error("the body failed");
  }

  /** A deploy does not wait for bodies: the process closes in the middle of one. */
  #deployDuring(process: FakeProcess, takes: number): void {
    process.after(this.#dice.between(0, takes), () => {
      const living = [...this.#alive.values()].find((one) => one.process === process);
      if (this.#over || living === undefined || process.dead) return;
      this.note("a process closes in the middle of a body");
      living.end("closes");
    });
  }

  /** Whether a body of a process that closes must still have its lock, as far as its process can know. */
  #isCleaning({ run, process, began }: Inside): boolean {
    const session = this.#sessions.get(run.fence);
    if (codeOf(run.signal) !== "CLOSING" || session === undefined) return false;
    const timeout = Math.min(...(DEFINITIONS[run.name] ?? []).map((one) => Number(one.timeout ?? Infinity)));
    const over = Math.min(this.#closing.get(process) ?? 0, this.#lives.knownUntil(session), began + timeout);
    return this.clock.monotonic() < over - LATE;
  }

  /** From time to time a schedule is paused or resumed, or its run is cancelled or requested. */
  #control(): void {
    this.clock.after(this.#dice.between(500, 8_000), () => {
      if (this.#over) return;
      const [one] = [...this.#alive].filter(([, { process }]) => process.running);
      const name = this.#dice.pick(this.#names);
      if (one !== undefined) {
        const [manager, { scheduler }] = one;
        void this.#command(manager, scheduler, name).catch((error: unknown) => {
          if (!isChannelError(error) && !isScheduleError(error) && !isRunError(error)) this.#failed(error);
        });
      }
      this.#control();
    });
  }

  /** In some seeds, a maintenance begins and ends from time to time: of all names, or of one. */
  #maintain(): void {
    if (!this.#isMaintained) return;
    this.clock.after(this.#shifts.between(500, 12_000), () => {
      if (this.#over) return;
      const [one] = [...this.#alive].filter(([, { process }]) => process.running);
      if (one !== undefined)
        void this.#shift(one[0]).catch((error: unknown) => {
          if (!isChannelError(error) && !isRunError(error)) this.#failed(error);
        });
      this.#maintain();
    });
  }

  async #shift(manager: JobManager): Promise<void> {
    const chance = this.#shifts.chance();
    if (chance < 0.5) {
      const names = chance < 0.4 ? "*" : this.#shifts.pick(this.#names);
      const until = this.#shifts.chance() < 0.2 ? { until: this.clock.now() + this.#shifts.between(1_000, 9_000) } : {};
      this.note(`maintenance of ${names} begins`);
      await manager.startMaintenance({ names, reason: "simulated", ...until });
      this.note(`maintenance of ${names} began`);
    } else {
      this.note("maintenance ends");
      await manager.endMaintenance();
    }
  }

  /** In half of the seeds, all processes are gone for a while. A backfill is requested meanwhile. */
  #outages(store: SharedStore): void {
    if (this.#dice.chance() < 0.5) return;
    this.clock.after(this.#dice.between(0.2, 0.6) * this.#length, () => {
      const ms = this.#dice.between(10_000, 30_000);
      const from = this.clock.now() - 5_000;
      this.note(`all processes are gone for ${Math.round(ms)}`);
      this.#outage = this.clock.monotonic() + ms;
      for (const { end } of [...this.#alive.values()]) end("dies");
      this.clock.after(ms - this.#dice.between(50, 2_000), () => {
        void this.#backfillAlone(store, from).catch((error: unknown) => {
          if (!isScheduleError(error) && !isChannelError(error)) this.#failed(error);
        });
      });
    });
  }

  /** A process without schedules requests a backfill. */
  async #backfillAlone(store: SharedStore, from: number): Promise<void> {
    const way = new FaultyBackend(store, this.clock, this.#watch ? {} : { watch: false });
    const chLocks = { backend: this.#bug?.plant(way) ?? way };
    const manager = await openJobManager({ chJobs: chLocks, chLocks, clock: this.clock, ttl: TTL });
    const scheduler = openScheduler(manager, { clock: this.clock });
    for (const name of this.#names) await this.#backfill(scheduler, name, from, this.clock.now());
    await scheduler.close();
    await manager.close();
  }

  async #backfill(scheduler: Scheduler, name: string, from: number, to: number): Promise<void> {
    this.note(`${name} is backfilled from ${iso(from)} to ${iso(to)}`);
    await scheduler.backfill(name, { from, to, reason: "simulated" });
  }

  /** In half of the seeds, the clock of a process is hours off for a while. */
  #wrongClocks(): void {
    if (this.#dice.chance() < 0.5) return;
    const sign = this.#dice.chance() < 0.7 ? 1 : -1;
    this.clock.after(this.#dice.between(0.2, 0.7) * this.#length, () => {
      const [{ process } = {}] = this.#alive.values();
      if (process === undefined) return;
      const off = sign * this.#dice.between(...WRONG);
      this.note(`the clock of a process is ${Math.round(off)} off`);
      process.ahead += off;
      this.clock.after(this.#dice.between(3_000, 0.2 * this.#length), () => {
        process.ahead -= off;
      });
    });
  }

  async #command(manager: JobManager, scheduler: Scheduler, name: string): Promise<void> {
    const chance = this.#dice.chance();
    const reason = "simulated";
    if (chance < 0.35) {
      this.note(`${name} is paused`);
      await scheduler.pause(name, { reason });
      this.note(`${name} was paused`);
    } else if (chance < 0.45) {
      this.note(`${name} is cancelled`);
      await manager.cancel(name, { reason, wait: 0 });
    } else if (chance < 0.8) {
      this.note(`${name} is resumed`);
      await scheduler.resume(name);
    } else if (chance < 0.9) {
      this.note(`${name} is run now`);
      await scheduler.runNow(name, { reason, within: 5_000 });
    } else {
      await this.#backfill(scheduler, name, this.clock.now() - 20_000, this.clock.now() - 10_000);
    }
  }

  async #calm(): Promise<void> {
    for (const { process } of this.#alive.values()) process.goOn();
    if (this.#tainted) for (const { end } of [...this.#alive.values()]) end("dies");
    await this.clock.advance(CALM);
    for (const [manager, { scheduler }] of this.#alive) {
      await this.clock.until(manager.endMaintenance().catch(() => []));
      for (const name of this.#names) {
        await this.clock.until(scheduler.resume(name).catch(() => false));
      }
      break;
    }
    // All clocks are set right: a process that was behind decides now.
    for (const { process } of this.#alive.values()) process.ahead = 0;
    await this.clock.advance(CALM);
  }

  async #end(): Promise<void> {
    if (this.#alive.size === 0) return;
    this.witness.flush();
    for (const name of this.#names) this.#checkDecided(name);
    const [[manager, { scheduler: one }] = [undefined, {}]] = this.#alive;
    if (manager === undefined || one === undefined) return;
    for (const { id, schedule, remaining } of await this.clock.until(collect(one.backfills())))
      if (remaining > 0)
        throw new Error(`the backfill ${id} of ${schedule} is not done: ${remaining} of its ticks are not run`);
    // A process whose clock was behind waits for the time of the next attempt by that clock.
    if ((await this.clock.until(manager.retries())).length > 0) await this.clock.advance(FURTHEST_BEHIND);
    for (const name of this.#names) {
      const records = await this.clock.until(collect(manager.history({ name })));
      this.#checkRuns(name, records, await this.clock.until(manager.retries(name)));
    }
    for (const [one, { scheduler }] of this.#alive) {
      await this.clock.until(scheduler.close());
      await this.clock.until(one.close());
    }
  }

  /** No tick stays undecided for longer than allowed. */
  #checkDecided(name: string): void {
    const { schedule, cursor } = this.witness.seen(name);
    if (schedule === undefined || cursor === undefined) throw new Error(`${name} is gone`);
    const [late] = ticksOf(schedule, cursor.at + 1, this.clock.now() - DECIDED_WITHIN);
    if (late !== undefined && late < this.clock.now() - DECIDED_WITHIN)
      throw new Error(`the tick ${iso(late)} of ${name} is not decided at ${iso(this.clock.now())}`);
  }

  /** Each run of a tick has one record, and each tick that was run has its run. */
  #checkRuns(name: string, records: readonly RunRecord[], retries: readonly PendingRetry[]): void {
    const pending = new Set(retries.map(({ tick, attempt }) => `${tick} ${attempt}`));
    const all = records.filter(({ trigger }) => trigger === "schedule");
    // A run that was handed over is repeated as the same attempt.
    const scheduled = all.filter(({ attempt = 1, chain, id }) => attempt === 1 && (chain ?? id) === id);
    const attempts = new Map<string, RunRecord>();
    const handedOver: RunRecord[] = [];
    for (const record of all) {
      const { tick = 0, attempt = 1, id } = record;
      if (record.handedOver === true) {
        handedOver.push(record);
        continue;
      }
      const same = attempts.get(`${tick} ${attempt}`);
      if (same !== undefined)
        throw new Error(`attempt ${attempt} of the tick ${iso(tick)} of ${name} was run twice: ${same.id}, ${id}`);
      attempts.set(`${tick} ${attempt}`, record);
    }
    for (const { id, tick = 0, attempt = 1 } of handedOver) {
      const next = `${tick} ${attempt}`;
      if (!attempts.has(next) && !pending.has(next) && !this.#apart)
        throw new Error(
          `attempt ${attempt} of the tick ${iso(tick)} of ${name} is not made again: ${id} was handed over`,
        );
    }
    const isAlone = ({ status, endedBy, error }: RunRecord): boolean =>
      status === "cancelled" && endedBy === undefined && error?.startsWith("its process closed") !== true;
    const alone = all.find(isAlone);
    if (alone !== undefined) throw new Error(`${alone.id} was cancelled without a request: ${alone.error}`);
    const late = retries.find(({ due }) => due < this.clock.now() - RETRIED_WITHIN);
    if (late !== undefined) throw new Error(`attempt ${late.attempt} of ${late.chain} is not made`);
    for (const { tick = 0, attempt = 1, retry, status, error } of all) {
      const mayFollow = status === "failed" || status === "timeout" || (status === "lost" && retry?.onLost === true);
      // A start whose answer was lost is made up for.
      const isBegun = error?.includes("did not begin") !== true;
      if (status === "skipped") continue;
      const isOver = isBegun && (!mayFollow || attempt >= (retry?.attempts ?? 1));
      const isThere = attempts.has(`${tick} ${attempt + 1}`) || pending.has(`${tick} ${attempt + 1}`);
      // With two stores, a process that closes a record after it lost its lock writes no next attempt.
      if (!isOver && !isThere && !this.#apart)
        throw new Error(`the tick ${iso(tick)} of ${name} is not tried again after attempt ${attempt}`);
    }
    const ids = new Set(records.map(({ id }) => id));
    const { outcomes } = this.witness.seen(name);
    for (const [at, { value }] of outcomes) {
      if (value.outcome === "run" && !ids.has(value.run ?? ""))
        throw new Error(`the run of the tick ${iso(at)} of ${name} was never started`);
    }
    for (const { tick = 0, id, status } of scheduled) {
      // With two stores, the record may find its start time taken, and get a later one.
      if (this.#apart || outcomes.get(tick)?.value.run === id || outcomes.get(tick)?.value.evidence !== undefined)
        continue;
      throw new Error(
        `the tick ${iso(tick)} of ${name} was run by ${id} (${status}), and its outcome is ${outcomes.get(tick)?.value.run ?? outcomes.get(tick)?.value.reason}`,
      );
    }
  }
}
