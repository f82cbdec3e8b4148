import { backend as simple } from "@ojm/simple";
import { expect } from "vitest";
import { isChannelError } from "../channel/errors.js";
import { compareVersions } from "../channel/version.js";
import { isRunError } from "../jobs/errors.js";
import { JobManager } from "../jobs/manager.js";
import type { Run, RunRecord } from "../jobs/types.js";
import { FakeClock, seeded } from "./fake-clock.js";
import { type Call, type Fault, FaultyBackend } from "./faulty-backend.js";
import type { PlantedBug } from "./planted-bugs.js";
import { FakeProcess } from "./process.js";
import { collect } from "./settle.js";

const TTL = 3_000;
const NAMES = ["a", "b", "c"];
const PROCESSES = 4;

export interface SimulationOptions {
  /** Every process has it. */
  readonly bug?: PlantedBug;
  /** How long things go wrong, in ms; faults come the denser the shorter it is. Default: 40,000. */
  readonly length?: number;
}

interface Entered {
  readonly name: string;
  readonly process: FakeProcess;
  readonly run: Run;
  /** Somebody unlocked it by force: until it finds out, two may run. */
  unlocked: boolean;
}

/**
 * Several processes run jobs of a few names on stores that are slow, lose requests, lose replies and apply commits late; they are stopped,
 * killed, cut off, and their wall clocks jump. A seed decides on everything: what failed once fails again.
 */
export class Simulation {
  readonly clock: FakeClock;
  readonly chance: () => number;
  readonly apart: boolean;
  readonly timeline: string[] = [];
  readonly #names: readonly string[];
  /** How many of the runs do not wait for their lock, from 0 to 1: those who wait keep each other in order, and hide races. */
  readonly #impatient: number;
  /** Whether locks are unlocked by force, which excuses two holders for a while. */
  readonly #unlocks: boolean;
  readonly #inside: Set<Entered> = new Set();
  readonly #lastFence: Map<string, string> = new Map();
  /** What was written to each record, in order. */
  readonly #written: Map<string, RunRecord[]> = new Map();
  readonly #fences: Map<string, string> = new Map();
  readonly #alive: Set<JobManager> = new Set();
  /** What run() told those who called it, by the fence. */
  readonly #told: Map<string, string> = new Map();
  /** The names that somebody is unlocking by force. */
  readonly #unlocking: string[] = [];
  #over = false;
  #failure: { readonly error: unknown } | undefined;

  readonly #bug: PlantedBug | undefined;
  readonly #length: number;

  constructor(seed: number, { bug, length = 40_000 }: SimulationOptions = {}) {
    this.#bug = bug;
    this.#length = length;
    this.clock = new FakeClock(seed);
    this.chance = seeded(seed * 7_919);
    this.apart = seed % 2 === 0;
    this.#names = NAMES.slice(0, 1 + (seed % 3));
    this.#unlocks = seed % 5 === 0;
    this.#impatient = [0, 0.3, 1][Math.floor(seed / 3) % 3] ?? 0;
    this.clock.afterStep = () => this.#check();
  }

  between(low: number, high: number): number {
    return low + this.chance() * (high - low);
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.chance() * items.length)] as T;
  }

  note(text: string): void {
    this.timeline.push(`${Math.round(this.clock.monotonic() - 1_000)} ${text}`);
  }

  async run(): Promise<void> {
    await this.#witnessRecords();
    for (let i = 0; i < PROCESSES; i++) this.#keepAlive(i);
    await this.clock.advance(this.#length);
    this.#throwFailure();
    this.#over = true;
    await this.clock.advance(20 * TTL);
    await this.#end();
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

  async #witnessRecords(): Promise<void> {
    const store = await simple.open({}, { clock: this.clock });
    await store.watch(
      { from: "oJobManager-jobs ", to: "oJobManager-jobs!" },
      {
        change: ({ key, value }) => {
          const writes = this.#written.get(key) ?? [];
          this.#written.set(key, writes);
          writes.push(JSON.parse(value ?? "null"));
        },
        gap: () => {},
        fail: () => {},
      },
    );
  }

  /** A process that is started anew whenever it dies. */
  #keepAlive(i: number): void {
    if (this.#over) return;
    const process = new FakeProcess(this.clock);
    process.ahead = this.chance() < 0.3 ? this.between(-3_600_000, 3_600_000) : 0;
    void this.#live(i, process).catch((error: unknown) => {
      if (!isChannelError(error)) this.#failed(error);
      // The store was away when it wanted to begin.
      this.clock.after(500, () => this.#keepAlive(i));
    });
  }

  async #live(i: number, process: FakeProcess): Promise<void> {
    const way = await this.#way(process);
    const jobsWay = this.apart ? await this.#way(process) : way;
    const bug = this.#bug;
    const chLocks = { backend: bug?.plant(way, process) ?? way };
    const chJobs = this.apart ? { backend: bug?.plant(jobsWay, process) ?? jobsWay } : chLocks;
    const clock = bug?.clock?.(process) ?? process;
    const manager = await JobManager.init({ chJobs, chLocks, clock, ttl: TTL });
    this.#alive.add(manager);
    for (let j = 0; j < 3; j++) this.#work(i, process, manager);
    this.#nemesis(i, process, [way, jobsWay], (how) => {
      this.#alive.delete(manager);
      if (how === "closes") {
        void manager.close().catch((error: unknown) => this.#failed(error));
      } else {
        process.die();
        for (const entered of this.#inside) if (entered.process === process) this.#inside.delete(entered);
      }
      this.clock.after(this.between(100, TTL), () => this.#keepAlive(i));
    });
  }

  async #way(process: FakeProcess): Promise<FaultyBackend> {
    const way = new FaultyBackend(await simple.open({}, { clock: this.clock }), this.clock);
    way.heard = process.heard;
    way.fault = (call) => this.#fault(call);
    return way;
  }

  #fault(call: Call): Fault | undefined {
    if (this.#over) return undefined;
    const dice = this.chance();
    if (dice < 0.02) return { type: "request lost" };
    if (dice < 0.04) return { type: "reply lost" };
    if (dice < 0.05) return { type: "refused" };
    if (dice < 0.07 && call.kind === "commit") return { type: "late", ms: this.between(0, 2 * TTL) };
    if (dice < 0.4) return { type: "slow", ms: this.between(0, 40) };
    return dice < 0.42 ? { type: "slow", ms: this.between(0, 900) } : undefined;
  }

  #nemesis(
    i: number,
    process: FakeProcess,
    ways: readonly FaultyBackend[],
    end: (how: "dies" | "closes") => void,
  ): void {
    this.clock.after(this.between(this.#length / 40, this.#length / 5), () => {
      if (this.#over || process.dead) return;
      const dice = this.chance();
      if (dice < 0.3) {
        const how = dice < 0.2 ? "dies" : "closes";
        this.note(`${i} ${how}`);
        end(how);
        return;
      }
      if (dice < 0.55) {
        const ms = this.between(50, 2.5 * TTL);
        this.note(`${i} stands still for ${Math.round(ms)}`);
        process.stop();
        this.clock.after(ms, () => process.goOn());
      } else if (dice < 0.8) {
        const ms = this.between(50, 2.5 * TTL);
        this.note(`${i} is cut off for ${Math.round(ms)}`);
        const type = this.pick(["refused", "request lost", "reply lost"] as const);
        for (const way of ways) way.fault = () => (this.#over ? undefined : { type });
        this.clock.after(ms, () => {
          for (const way of ways) way.fault = (call) => this.#fault(call);
        });
      } else {
        process.ahead += this.between(-600_000, 600_000);
      }
      this.#nemesis(i, process, ways, end);
    });
  }

  #work(i: number, process: FakeProcess, manager: JobManager): void {
    process.after(this.between(0, 1_000), () => {
      if (this.#over || !this.#alive.has(manager)) return;
      void (this.#unlocks && this.chance() < 0.03 ? this.#unlock(i, manager) : this.#oneRun(i, process, manager))
        .catch((error: unknown) => {
          if (!isRunError(error) && !isChannelError(error) && !(error instanceof BodyError)) this.#failed(error);
        })
        .then(() => this.#work(i, process, manager));
    });
  }

  async #unlock(i: number, manager: JobManager): Promise<void> {
    const name = this.pick(this.#names);
    this.#unlocking.push(name);
    this.note(`${i} unlocks ${name}`);
    try {
      await manager.unlock(name, { reason: "simulated" });
    } finally {
      // A commit without an answer may be applied late.
      this.clock.after(4 * TTL, () => void this.#unlocking.splice(this.#unlocking.indexOf(name), 1));
    }
  }

  async #oneRun(i: number, process: FakeProcess, manager: JobManager): Promise<void> {
    const name = this.pick(this.#names);
    const takes = this.chance() < 0.7 ? this.between(0, 600) : this.between(0, 4 * TTL);
    const obeys = this.chance() < 0.7;
    const fails = this.chance() < 0.1;
    const stop = new AbortController();
    if (this.chance() < 0.1) process.after(this.between(0, 2_000), () => stop.abort());
    let fence: string | undefined;
    const body = async (run: Run): Promise<string> => {
      fence = run.fence;
      this.#enter(i, { name, process, run, unlocked: false });
      await new Promise<void>((resolve) => {
        process.after(takes, resolve);
        if (obeys) run.signal.addEventListener("abort", () => resolve());
      });
      this.#leave(run);
      if (fails) throw new BodyError("the body failed");
      return `result of ${run.fence}`;
    };
    const wait = this.chance() < this.#impatient ? 0 : this.between(0, 4_000);
    const options = { timeout: this.between(200, 5 * TTL), wait, signal: stop.signal };
    try {
      const { record } = await manager.run(name, body, options);
      expect(record.result).toBe(`result of ${fence}`);
      if (fence !== undefined) this.#told.set(`${name} ${fence}`, "completed");
    } catch (error) {
      if (isRunError(error) && fence !== undefined) this.#told.set(`${name} ${fence}`, error.code);
      throw error;
    }
  }

  #enter(i: number, entered: Entered): void {
    const { name, run } = entered;
    this.note(`${i} enters ${name} with ${run.fence}`);
    expect(compareVersions(run.fence, this.#lastFence.get(name) ?? "0")).toBeGreaterThan(0);
    this.#lastFence.set(name, run.fence);
    this.#fences.set(`${name} ${run.fence}`, `${run.startTime}`);
    this.#inside.add(entered);
    this.#check();
  }

  #leave(run: Run): void {
    for (const entered of this.#inside) if (entered.run === run) this.#inside.delete(entered);
  }

  /** At most one who runs, and was not told to stop, per name. */
  #check(): void {
    const holders = new Map<string, Entered>();
    for (const entered of this.#inside) {
      // Two may run from the moment at which the entry is gone, of which nobody but the store knows: whoever is inside may be the one.
      if (this.#unlocking.includes(entered.name)) entered.unlocked = true;
      const { name, process, run, unlocked } = entered;
      if (!process.running || unlocked || run.signal.aborted || !isHeld(run)) continue;
      const other = holders.get(name);
      if (other !== undefined) throw new Error(`two hold ${name}: ${other.run.fence} and ${run.fence}`);
      holders.set(name, entered);
    }
  }

  async #end(): Promise<void> {
    // Whoever comes next closes what is left.
    const last = new FakeProcess(this.clock);
    const way = await this.#way(last);
    const jobsWay = this.apart ? await this.#way(last) : way;
    const init = { chJobs: { backend: jobsWay }, chLocks: { backend: way }, clock: last, ttl: TTL };
    const manager = await this.clock.until(JobManager.init(init));
    await this.clock.advance(20 * TTL);
    expect(await manager.locks()).toEqual([]);
    expect(await manager.running()).toEqual([]);
    const byFence = new Map<string, RunRecord>();
    for (const record of await collect(manager.history())) {
      expect(record.status, JSON.stringify(record)).not.toBe("running");
      byFence.set(`${record.name} ${record.fence}`, record);
    }
    for (const [fence, startTime] of this.#fences) expect(`${byFence.get(fence)?.startTime}`).toBe(startTime);
    for (const [key, writes] of this.#written) {
      const closings = writes.filter(({ status }) => status !== "running").length;
      if (closings > 1) throw new Error(`the run ${key} was closed ${closings} times: ${JSON.stringify(writes)}`);
      // In two stores a run whose record never came may have been closed before it was open.
      const begun = !this.apart || writes.length > 1 ? [true] : [];
      const running = writes.map(({ status }) => status === "running");
      expect(running, `${key} ${JSON.stringify(writes)}`).toEqual([...begun, false]);
    }
    for (const [fence, told] of this.#told) {
      const status = byFence.get(fence)?.status;
      if (told === "completed") expect(status).toBe("completed");
      if (told !== "completed") expect(status).not.toBe("completed");
    }
    for (const alive of this.#alive) await this.clock.until(alive.close());
    expect(await manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
    await this.clock.until(manager.close());
    expect(this.clock.pending).toBe(0);
  }
}

class BodyError extends Error {}

function isHeld(run: Run): boolean {
  try {
    run.assertHeld();
    return true;
  } catch {
    return false;
  }
}
