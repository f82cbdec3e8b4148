import { expect } from "vitest";
import type { StoredChange } from "../../channel/backend/backend.js";
import { isChannelError } from "../../channel/errors.js";
import { type JobManager, openJobManager } from "../../jobs/manager.js";
import type { RunRecord } from "../../jobs/types.js";
import { FakeClock } from "../fake-clock.js";
import { collect } from "../settle.js";
import { FaultyBackend } from "../stores/faulty-backend.js";
import { SharedStore } from "../stores/shared-store.js";
import { checkChains } from "./chains.js";
import { Chaos } from "./chaos.js";
import { Dice } from "./dice.js";
import { isLocking, isRecord } from "./entry-kinds.js";
import { checkIndex, checkNothingDead, Laws } from "./laws/laws.js";
import { RATE } from "./laws/rates.js";
import { RETENTION } from "./laws/retained.js";
import { Ledger } from "./ledger.js";
import { WrittenLogs } from "./logs/written-logs.js";
import type { PlantedBug } from "./planted-bugs.js";
import { FakeProcess } from "./process.js";
import { askRollups, checkCells } from "./rollups/cells.js";
import { type Plan, Worker } from "./worker.js";

const TTL = 3_000;
const NAMES = ["a", "b", "c"];
const PROCESSES = 4;

/** Small, so that the log of a run has many chunks, and loses its middle. */
const LOG_BUDGET = { head: 500, tail: 1_500, chunk: 200, interval: 50 };

/**
 * How long all calls succeed before the check, in times to live. By then late commits are applied, every
 * process has resumed, dead processes count as dead, and the others have swept.
 */
const CALM = 8;

export interface SimulationOptions {
  /** A bug that is planted in every process. */
  readonly bug?: PlantedBug;
  /** How long chaos lasts, in ms. The shorter it is, the denser are the faults. Default: 40,000. */
  readonly length?: number;
}

/**
 * Several processes run jobs of a few names on a store that is slow, loses requests, loses replies, applies
 * commits late or twice, and is restarted. The processes are stopped, killed and cut off, and their wall
 * clocks jump. A seed decides everything: a failure can be repeated.
 */
export class Simulation {
  readonly clock: FakeClock;
  readonly timeline: string[] = [];
  readonly #dice: Dice;
  readonly #chaos: Chaos;
  readonly #laws: Laws;
  readonly #ledger: Ledger;
  readonly #bug: PlantedBug | undefined;
  readonly #length: number;
  /** Whether records and locks are in two stores. */
  readonly #apart: boolean;
  /** Whether the store has watches. */
  readonly #watch: boolean;
  readonly #plan: Plan;
  /** Whether a restart makes the store forget its content, which excuses two holders for a while. */
  readonly #forgets: boolean;
  /** Whether old records are pruned. */
  readonly #retains: boolean;
  /** Whether a delete of a record comes from the retention, not from the store or the simulation. */
  #isPruned = true;
  readonly #alive: Set<JobManager> = new Set();
  readonly #ways: Set<FaultyBackend> = new Set();
  #over = false;
  #tainted = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(seed: number, { bug, length = 40_000 }: SimulationOptions = {}) {
    this.#bug = bug;
    this.#length = length;
    this.clock = new FakeClock(seed);
    this.#dice = new Dice(seed * 7_919);
    this.#apart = seed % 2 === 0;
    this.#forgets = seed % 7 === 3;
    this.#watch = seed % 11 < 8;
    this.#retains = seed % 4 === 1 || seed % 6 === 2;
    this.#laws = new Laws(this.clock, TTL, bug?.late === true);
    this.#ledger = new Ledger(this.#apart);
    const note = (text: string): void => this.note(text);
    this.#chaos = new Chaos({ dice: this.#dice, clock: this.clock, ttl: TTL, length, note });
    const hasPermits = seed % 13 > 1 && seed % 13 < 6;
    const hasRate = seed % 17 > 11;
    this.#plan = {
      ttl: TTL,
      // With one name, its lock alone decides who runs.
      names: hasPermits || hasRate ? NAMES : NAMES.slice(0, 1 + (seed % 3)),
      lock: seed % 7 === 6 ? "shared" : undefined,
      unlocks: seed % 5 === 0 || seed % 20 >= 18,
      cancels: seed % 4 === 1,
      holds: seed % 6 === 1,
      retries: seed % 5 >= 3,
      rollups: seed % 3 !== 1,
      writesBack: seed % 3 === 2,
      once: seed % 4 === 3 || seed % 8 === 6,
      keys: !hasPermits && (seed % 9 === 4 || seed % 10 === 7) ? 2 : 0,
      permits: hasPermits ? { p: 2, q: 1 } : {},
      rate: hasRate,
      logs: seed % 4 === 2 || seed % 9 === 5 ? new WrittenLogs() : undefined,
      impatient: [0, 0.3, 1][Math.floor(seed / 3) % 3] ?? 0,
      dice: this.#dice,
      clock: this.clock,
      laws: this.#laws,
      ledger: this.#ledger,
      note,
      failed: (error) => this.#failed(error),
    };
    this.clock.afterStep = () => this.#laws.check();
  }

  note(text: string): void {
    this.timeline.push(`${Math.round(this.clock.monotonic() - 1_000)} ${text}`);
  }

  async run(): Promise<void> {
    const store = await SharedStore.open(this.clock);
    await this.#witness(store);
    this.#chaos.restarts(store, () => this.#onRestart(store));
    for (let i = 0; i < PROCESSES; i++) this.#keepAlive(store, i);
    await this.clock.advance(this.#length);
    this.#throwFailure();
    this.#over = true;
    this.#chaos.end();
    await this.clock.advance(CALM * TTL);
    if (this.#alive.size > 0) await checkNothingDead(store);
    await this.clock.advance((20 - CALM) * TTL);
    await this.#end(store);
    this.#throwFailure();
  }

  /** Notes an error of background work. The first one fails the test. */
  #failed(error: unknown): void {
    this.note(`FAILED: ${error}`);
    this.#failure ??= { error };
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #witness({ memory }: SharedStore): Promise<void> {
    const change = (it: StoredChange): void => {
      this.#laws.applied(it, this.#isPruned);
      if (!isRecord(it.key)) return;
      if (it.value === null && this.#isPruned) this.note(`${it.key} is pruned`);
      try {
        this.#ledger.applied(it, this.#isPruned);
      } catch (error) {
        // The store reports its changes within the commit: an error there would break off the commit.
        this.#failed(error);
      }
    };
    await memory.watch({ from: "", to: "\uFFFF" }, { change, gap: () => {}, fail: () => {} });
  }

  #onRestart(store: SharedStore): void {
    for (const way of this.#ways) way.hangUp();
    if (this.#forgets && this.#dice.chance() < 0.5) {
      void this.#forget(store).catch((error: unknown) => this.#failed(error));
    }
  }

  async #forget(store: SharedStore): Promise<void> {
    // Records in a store of their own are not lost with the locks.
    const locks = { from: "oJobManager-locks ", to: "oJobManager-locks!" };
    this.#isPruned = false;
    const version = await store.forget(this.#apart ? locks : { from: "", to: "\uFFFF" });
    this.#isPruned = true;
    this.note(`the store has forgotten all before ${version}`);
    this.#laws.forgotten(version);
    if (!this.#apart) this.#ledger.forgotten(version);
  }

  /** Starts a process, and restarts it whenever it dies. */
  #keepAlive(store: SharedStore, i: number): void {
    if (this.#over) return;
    const process = new FakeProcess(this.clock, this.#dice.chance);
    process.ahead = this.#dice.chance() < 0.3 ? this.#dice.between(-3_600_000, 3_600_000) : 0;
    void this.#live(store, i, process).catch((error: unknown) => {
      if (!isChannelError(error)) this.#failed(error);
      // The store was away when the process began: try again later.
      this.clock.after(500, () => this.#keepAlive(store, i));
    });
  }

  async #live(store: SharedStore, i: number, process: FakeProcess): Promise<void> {
    const way = this.#way(store, process, `${i}`);
    const jobsWay = this.#apart ? this.#way(store, process, `${i}`) : way;
    const bug = this.#bug;
    const chLocks = { backend: bug?.plant(way, process) ?? way };
    const chJobs = this.#apart ? { backend: bug?.plant(jobsWay, process) ?? jobsWay } : chLocks;
    const clock = bug?.clock?.(process) ?? process;
    const retention = this.#retains ? RETENTION : (false as const);
    const manager = await openJobManager({ chJobs, chLocks, clock, ttl: TTL, logBudget: LOG_BUDGET, retention });
    this.#alive.add(manager);
    const worker = new Worker(`${i}`, process, manager, this.#plan);
    for (let j = 0; j < 3; j++) worker.work(() => !this.#over && this.#alive.has(manager));
    const end = (how: "dies" | "closes"): void => {
      this.#alive.delete(manager);
      if (how === "closes") {
        const grace = this.#dice.chance() < 0.2 ? 0 : this.#dice.between(500, 3 * TTL);
        process.after(0, () => {
          this.#laws.closing(process, grace);
          const closed = bug?.close?.(manager, grace, process) ?? manager.close({ grace });
          closed.catch((error: unknown) => this.#failed(error));
        });
      } else {
        process.die();
        this.#laws.died(process);
      }
      this.clock.after(this.#dice.between(100, TTL), () => this.#keepAlive(store, i));
    };
    this.#chaos.harm({ name: `${i}`, process, ways: [way, jobsWay], end });
  }

  /** A lock or ticket was written again after its removal: it stays until its session ends. */
  #taint(): void {
    this.note("a released lock or ticket is written again, without an owner");
    this.#tainted = true;
  }

  #way(store: SharedStore, process: FakeProcess, name: string): FaultyBackend {
    const way = new FaultyBackend(store, this.clock, this.#watch ? {} : { watch: false });
    way.heard = process.heard;
    way.fault = (call) => this.#chaos.fault(name, call);
    way.sent = (commit) => this.#laws.sent(commit, process);
    way.answered = (commit) => this.#laws.answered(commit);
    way.repeated = ({ writes }) => {
      if (writes.some(({ key, value }) => isLocking(key) && value !== null)) this.#taint();
    };
    this.#ways.add(way);
    return way;
  }

  async #end(store: SharedStore): Promise<void> {
    // The next process closes the remaining runs.
    const last = new FakeProcess(this.clock);
    const way = this.#way(store, last, "last");
    const jobsWay = this.#apart ? this.#way(store, last, "last") : way;
    const retention = false as const;
    const init = { chJobs: { backend: jobsWay }, chLocks: { backend: way }, clock: last, ttl: TTL, retention };
    const manager = await this.clock.until(openJobManager(init));
    await this.clock.advance(20 * TTL);
    // A late record has no lock in a store that forgot it. After a slow check of the records, its process may
    // rest for longer than the simulation: once it has closed, the last process checks.
    const mayRest = this.#apart && this.#forgets;
    if (this.#tainted || mayRest) await this.#closeAll();
    await this.clock.advance((mayRest ? 20 : 2) * TTL);
    expect(await manager.heldLocks()).toEqual([]);
    expect(await manager.openRecords()).toEqual([]);
    const records = await collect(manager.history());
    this.#ledger.check(records);
    await this.#checkLogs(manager, records);
    if (!this.#forgets) checkChains([...records, ...this.#ledger.pruned], await manager.retries());
    await checkIndex(store, this.#forgets);
    await this.#checkRollups(manager, records);
    for (const [permit, limit] of Object.entries(this.#plan.permits)) {
      const taking = Array.from({ length: limit }, (_, i) =>
        manager.start(`z${i}`, { wait: 0, permits: { [permit]: limit } }),
      );
      for (const run of await this.clock.until(Promise.all(taking))) await this.clock.until(run.end());
    }
    if (this.#plan.rate) {
      const taking = Array.from({ length: RATE.max }, (_, i) => manager.start(`z${i}`, { rate: RATE }));
      for (const run of await this.clock.until(Promise.all(taking))) await this.clock.until(run.end());
    }
    this.#isPruned = false;
    await manager.prune({ olderThan: 0 });
    await checkIndex(store, this.#forgets);
    await this.#closeAll();
    expect(await manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
    if (!this.#forgets && !this.#tainted) expect(await manager.channels.locks.size({ prefix: ["permit"] })).toBe(0);
    await this.clock.until(manager.close());
    // Pending attempts that no process made expire after a month. The store has a timer for them.
    await this.clock.advance(31 * 86_400_000);
    expect(this.clock.pending).toBe(0);
  }

  /** The logs of all completed runs are there to their last line, or report their gaps. */
  async #checkLogs(manager: JobManager, records: readonly RunRecord[]): Promise<void> {
    for (const id of this.#plan.logs?.ids ?? []) {
      const record = records.find((each) => each.id === id);
      if (record === undefined || (this.#forgets && !this.#apart)) continue;
      await this.#plan.logs?.check(manager, id, record.status === "completed");
    }
  }

  /** The rollups count each remaining record once. The last process folds the remaining ones. */
  async #checkRollups(manager: JobManager, records: readonly RunRecord[]): Promise<void> {
    for (let i = 0; i < 2; i++) {
      await this.clock.until(askRollups(manager, this.clock.now()));
      await this.clock.advance(20 * TTL);
    }
    for (const by of ["minute", "hour"] as const) {
      const rollups = await this.clock.until(askRollups(manager, this.clock.now(), by));
      // The minutes of past hours are deleted with the records.
      if (by === "hour" || !this.#retains)
        checkCells(records, rollups, { by, forgets: this.#forgets, pruned: this.#ledger.pruned });
    }
  }

  async #closeAll(): Promise<void> {
    for (const alive of this.#alive) await this.clock.until(alive.close());
  }
}
