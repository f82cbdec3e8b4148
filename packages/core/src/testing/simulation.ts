import { expect } from "vitest";
import { isChannelError } from "../channel/errors.js";
import { isRunError } from "../jobs/errors.js";
import { JobManager } from "../jobs/manager.js";
import type { Run } from "../jobs/types.js";
import { Chaos } from "./chaos.js";
import { Dice } from "./dice.js";
import { isRecord } from "./entry-kinds.js";
import { FakeClock } from "./fake-clock.js";
import { FaultyBackend } from "./faulty-backend.js";
import { Laws } from "./laws.js";
import { Ledger } from "./ledger.js";
import type { PlantedBug } from "./planted-bugs.js";
import { FakeProcess } from "./process.js";
import { collect } from "./settle.js";
import { SharedStore } from "./shared-store.js";

const TTL = 3_000;
const NAMES = ["a", "b", "c"];
const PROCESSES = 4;

export interface SimulationOptions {
  /** Every process has it. */
  readonly bug?: PlantedBug;
  /** How long things go wrong, in ms; faults come the denser the shorter it is. Default: 40,000. */
  readonly length?: number;
}

/**
 * Several processes run jobs of a few names on a store that is slow, loses requests, loses replies, applies commits late or twice, and is
 * restarted; they are stopped, killed, cut off, and their wall clocks jump. A seed decides on everything: what failed once fails again.
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
  /** Whether the store tells of changes. */
  readonly #watch: boolean;
  readonly #names: readonly string[];
  /** How many of the runs do not wait for their lock, from 0 to 1: those who wait keep each other in order, and hide races. */
  readonly #impatient: number;
  /** Whether locks are unlocked by force, which excuses two holders for a while. */
  readonly #unlocks: boolean;
  /** Whether the store forgets what is in it when it is restarted, which excuses two holders for a while, too. */
  readonly #forgets: boolean;
  readonly #alive: Set<JobManager> = new Set();
  readonly #ways: Set<FaultyBackend> = new Set();
  #over = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(seed: number, { bug, length = 40_000 }: SimulationOptions = {}) {
    this.#bug = bug;
    this.#length = length;
    this.clock = new FakeClock(seed);
    this.#dice = new Dice(seed * 7_919);
    this.#apart = seed % 2 === 0;
    this.#names = NAMES.slice(0, 1 + (seed % 3));
    this.#unlocks = seed % 5 === 0;
    this.#forgets = seed % 7 === 3;
    this.#watch = seed % 11 < 8;
    this.#impatient = [0, 0.3, 1][Math.floor(seed / 3) % 3] ?? 0;
    this.#laws = new Laws(this.clock, TTL);
    this.#ledger = new Ledger(this.#apart);
    const note = (text: string): void => this.note(text);
    this.#chaos = new Chaos({ dice: this.#dice, clock: this.clock, ttl: TTL, length, note });
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
    await this.clock.advance(20 * TTL);
    await this.#end(store);
    this.#throwFailure();
  }

  /** What goes wrong where nobody awaits it: the first of it fails the test. */
  #failed(error: unknown): void {
    this.note(`FAILED: ${error}`);
    this.#failure ??= { error };
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #witness({ memory }: SharedStore): Promise<void> {
    const change: Laws["applied"] = (it) => (isRecord(it.key) ? this.#ledger.applied(it) : this.#laws.applied(it));
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
    const from = this.#apart ? "oJobManager-locks " : "";
    const version = await store.forget({ from, to: "\uFFFF" });
    this.note(`the store has forgotten all before ${version}`);
    this.#laws.forgotten(version);
    if (!this.#apart) this.#ledger.forgotten(version);
  }

  /** A process that is started anew whenever it dies. */
  #keepAlive(store: SharedStore, i: number): void {
    if (this.#over) return;
    const process = new FakeProcess(this.clock, this.#dice.chance);
    process.ahead = this.#dice.chance() < 0.3 ? this.#dice.between(-3_600_000, 3_600_000) : 0;
    void this.#live(store, i, process).catch((error: unknown) => {
      if (!isChannelError(error)) this.#failed(error);
      // The store was away when it wanted to begin.
      this.clock.after(500, () => this.#keepAlive(store, i));
    });
  }

  async #live(store: SharedStore, i: number, process: FakeProcess): Promise<void> {
    const way = this.#way(store, process);
    const jobsWay = this.#apart ? this.#way(store, process) : way;
    const bug = this.#bug;
    const chLocks = { backend: bug?.plant(way, process) ?? way };
    const chJobs = this.#apart ? { backend: bug?.plant(jobsWay, process) ?? jobsWay } : chLocks;
    const clock = bug?.clock?.(process) ?? process;
    const manager = await JobManager.init({ chJobs, chLocks, clock, ttl: TTL });
    this.#alive.add(manager);
    for (let j = 0; j < 3; j++) this.#work(i, process, manager);
    const end = (how: "dies" | "closes"): void => {
      this.#alive.delete(manager);
      if (how === "closes") {
        void manager.close().catch((error: unknown) => this.#failed(error));
      } else {
        process.die();
        this.#laws.died(process);
      }
      this.clock.after(this.#dice.between(100, TTL), () => this.#keepAlive(store, i));
    };
    this.#chaos.harm({ name: `${i}`, process, ways: [way, jobsWay], end });
  }

  #way(store: SharedStore, process: FakeProcess): FaultyBackend {
    const way = new FaultyBackend(store, this.clock, this.#watch ? {} : { watch: false });
    way.heard = process.heard;
    way.fault = (call) => this.#chaos.fault(call);
    way.sent = (commit) => this.#laws.sent(commit);
    this.#ways.add(way);
    return way;
  }

  #work(i: number, process: FakeProcess, manager: JobManager): void {
    process.after(this.#dice.between(0, 1_000), () => {
      if (this.#over || !this.#alive.has(manager)) return;
      void (this.#unlocks && this.#dice.chance() < 0.03 ? this.#unlock(i, manager) : this.#oneRun(i, process, manager))
        .catch((error: unknown) => {
          if (!isRunError(error) && !isChannelError(error) && !(error instanceof BodyError)) this.#failed(error);
        })
        .then(() => this.#work(i, process, manager));
    });
  }

  async #unlock(i: number, manager: JobManager): Promise<void> {
    const name = this.#dice.pick(this.#names);
    const unlocked = this.#laws.unlocking(name);
    this.note(`${i} unlocks ${name}`);
    try {
      await manager.unlock(name, { reason: "simulated" });
    } finally {
      // A commit without an answer may be applied late.
      this.clock.after(4 * TTL, unlocked);
    }
  }

  async #oneRun(i: number, process: FakeProcess, manager: JobManager): Promise<void> {
    const dice = this.#dice;
    const name = dice.pick(this.#names);
    const takes = dice.chance() < 0.7 ? dice.between(0, 600) : dice.between(0, 4 * TTL);
    const obeys = dice.chance() < 0.7;
    const fails = dice.chance() < 0.1;
    const stop = new AbortController();
    if (dice.chance() < 0.1) process.after(dice.between(0, 2_000), () => stop.abort());
    let begun: Run | undefined;
    const body = async (run: Run): Promise<string> => {
      begun = run;
      this.note(`${i} enters ${name} with ${run.fence}`);
      this.#ledger.begun(run);
      this.#laws.enter({ name, process, run });
      await new Promise<void>((resolve) => {
        process.after(takes, resolve);
        if (obeys) run.signal.addEventListener("abort", () => resolve());
      });
      this.#laws.leave(run);
      if (fails) throw new BodyError("the body failed");
      return `result of ${run.fence}`;
    };
    const wait = dice.chance() < this.#impatient ? 0 : dice.between(0, 4_000);
    const options = { timeout: dice.between(200, 5 * TTL), wait, signal: stop.signal };
    try {
      const { record } = await manager.run(name, body, options);
      expect(record.result).toBe(`result of ${begun?.fence}`);
      if (begun !== undefined) this.#ledger.told(begun, "completed");
    } catch (error) {
      if (isRunError(error) && begun !== undefined) this.#ledger.told(begun, error.code);
      throw error;
    }
  }

  async #end(store: SharedStore): Promise<void> {
    // Whoever comes next closes what is left.
    const last = new FakeProcess(this.clock);
    const way = this.#way(store, last);
    const jobsWay = this.#apart ? this.#way(store, last) : way;
    const init = { chJobs: { backend: jobsWay }, chLocks: { backend: way }, clock: last, ttl: TTL };
    const manager = await this.clock.until(JobManager.init(init));
    await this.clock.advance(20 * TTL);
    expect(await manager.locks()).toEqual([]);
    expect(await manager.running()).toEqual([]);
    this.#ledger.check(await collect(manager.history()));
    for (const alive of this.#alive) await this.clock.until(alive.close());
    expect(await manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
    await this.clock.until(manager.close());
    expect(this.clock.pending).toBe(0);
  }
}

class BodyError extends Error {}
