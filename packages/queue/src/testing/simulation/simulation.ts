import { isChannelError, isRunError, type JobManager, openJobManager, type Run } from "@ojm/core";
import type { Backend } from "@ojm/core/backend";
import { versionOf } from "../../../../core/src/channel/encoding/version.js";
import { FakeClock } from "../../../../core/src/testing/fake-clock.js";
import { collect } from "../../../../core/src/testing/settle.js";
import { Chaos } from "../../../../core/src/testing/simulation/chaos.js";
import { Dice } from "../../../../core/src/testing/simulation/dice.js";
import { FakeProcess } from "../../../../core/src/testing/simulation/process.js";
import { FaultyBackend } from "../../../../core/src/testing/stores/faulty-backend.js";
import { SharedStore } from "../../../../core/src/testing/stores/shared-store.js";
import { isQueueError } from "../../errors.js";
import { openQueues, type Queues } from "../../queues.js";
import type { Item } from "../../types.js";
import { Witness } from "./witness.js";

const TTL = 3_000;
/** With the second number some workers are idle now and then, and do not watch the items. */
const PROCESSES = [3, 6] as const;
const CONCURRENCY = 3;
const ATTEMPTS = 4;

/** How many items a process adds to one group at once, now and then. */
const FLOOD = 15;

/** How long all calls succeed before the check, in ms: longer than a dead worker counts as living. */
const CALM = 400_000;

/** The data of an item that takes this long, in ms. */
const LONG = 5_000;

/** Within this time each item begins if a worker has a free slot and nothing fails, in ms. */
const AT_ONCE = 1_000;

/** How far two wall clocks often are apart, in ms. */
const APART = 600_000;

/** A bug that is planted between the queues and the store. */
export interface PlantedBug {
  readonly name: string;
  /** Matches the error of the law that finds it. */
  readonly caughtAs: RegExp;
  plant(store: Backend): Backend;
}

/** A living process. */
interface Living {
  readonly queues: Queues;
  readonly process: FakeProcess;
  end(how: "dies" | "closes"): void;
}

/** A handler that has an item. */
interface Inside {
  readonly process: FakeProcess;
  readonly run: Run;
  readonly item: string;
  readonly stops: number;
}

/**
 * Several processes add to a queue and work on it, on a store that is slow, loses requests and replies,
 * applies commits late or twice, and is restarted. They are stopped, killed, cut off and closed, and their
 * wall clocks jump. The queue is paused, and items are discarded, retried and redriven. A seed decides all.
 */
export class Simulation {
  readonly clock: FakeClock;
  readonly timeline: string[] = [];
  readonly witness: Witness;
  readonly #dice: Dice;
  readonly #chaos: Chaos;
  readonly #bug: PlantedBug | undefined;
  readonly #length: number;
  readonly #alive: Map<JobManager, Living> = new Map();
  readonly #ways: Set<FaultyBackend> = new Set();
  readonly #inside: Set<Inside> = new Set();
  readonly #watch: boolean;
  readonly #apart: boolean;
  /** Whether the queue limits the items of a group. A group that is at its limit is behind its turn. */
  readonly #perGroup: boolean;
  readonly #processes: number;
  /** Which records of runs stay. */
  readonly #record: "all" | "failed" | "none";
  /** The items whose add was answered. */
  readonly #added: Set<string> = new Set();
  /** The batches whose producers got no answer yet, and their data. */
  readonly #batches: Map<string, readonly number[]> = new Map();
  /** The data of calls whose answer was that an item has it, or will have it. */
  readonly #given: Set<unknown> = new Set();
  #over = false;
  #tainted = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(seed: number, { bug, length = 40_000 }: { readonly bug?: PlantedBug; readonly length?: number } = {}) {
    this.#bug = bug;
    this.#length = length;
    this.clock = new FakeClock(seed);
    this.#dice = new Dice(seed * 7_919);
    this.#watch = seed % 5 !== 4;
    this.#apart = seed % 7 > 4;
    this.#perGroup = seed % 3 === 0;
    this.#record = (["all", "failed", "none"] as const)[Math.floor(seed / 2) % 3] ?? "all";
    this.#processes = PROCESSES[seed % 2] ?? 3;
    this.witness = new Witness(!this.#perGroup);
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
    if (warning.code === "OJM_BACKGROUND" || warning.code === "OJM_QUEUE") this.#failed(warning);
  };

  async #run(): Promise<void> {
    const store = await SharedStore.open(this.clock);
    await store.memory.watch(
      { from: "", to: "\uFFFF" },
      {
        change: (change) =>
          this.#guarded(() => this.witness.applied({ ...change, version: versionOf(change.version) })),
        gap: () => {},
        fail: () => {},
      },
    );
    this.#chaos.restarts(store, () => {
      for (const way of this.#ways) way.hangUp();
    });
    for (let i = 0; i < this.#processes; i++) this.#keepAlive(store, i);
    this.#control();
    await this.clock.advance(this.#length);
    this.#throwFailure();
    this.#over = true;
    this.#chaos.end();
    await this.#calm();
    await this.#judgeIdle();
    await this.#end();
    this.#throwFailure();
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

  /** Starts a process, and restarts it whenever it dies. */
  #keepAlive(store: SharedStore, i: number): void {
    if (this.#over && !this.#tainted) return;
    const process = new FakeProcess(this.clock, this.#dice.chance);
    process.ahead = this.#dice.between(-1_000, 1_000);
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
    const queues = openQueues(manager, { clock: process, instance: `${i}-${this.clock.random(4)}` });
    try {
      await queues.define("q", {
        attempts: ATTEMPTS,
        delay: 500,
        timeout: 8_000,
        record: this.#record,
        ...(this.#perGroup && { perGroup: 2 }),
      });
      const effects = await manager.channel<string>("effects");
      await queues.work("q", (item) => this.#handle(process, item, effects as never), { concurrency: CONCURRENCY });
    } catch (error) {
      await queues.close({ grace: 0 });
      await manager.close({ grace: 0 }).catch(() => {});
      throw error;
    }
    const end = (how: "dies" | "closes"): void => {
      const isFirst = this.#alive.delete(manager);
      if (how === "dies") process.die();
      else if (isFirst) process.after(0, () => void this.#close(manager, queues));
      for (const one of this.#inside) if (one.process === process && process.dead) this.#inside.delete(one);
      if (!isFirst) return;
      this.clock.after(this.#dice.between(100, TTL), () => this.#keepAlive(store, i));
    };
    this.#alive.set(manager, { queues, process, end });
    if (this.#over) return;
    this.#produce(queues, process);
    this.#chaos.harm({ name: `${i}`, process, ways: [way, jobsWay], end });
  }

  async #close(manager: JobManager, queues: Queues): Promise<void> {
    try {
      await queues.close({ grace: this.#dice.chance() < 0.2 ? 0 : this.#dice.between(500, 2 * TTL) });
      await manager.close({ grace: 0 });
    } catch (error) {
      if (!isChannelError(error)) this.#failed(error);
    }
  }

  #way(store: SharedStore, process: FakeProcess, name: string): FaultyBackend {
    const way = new FaultyBackend(store, this.clock, this.#watch ? {} : { watch: false });
    way.heard = process.heard;
    way.fault = (call) => this.#chaos.fault(name, call);
    way.repeated = ({ writes }) => {
      for (const { key, value } of writes) {
        if (value === null) continue;
        // A call that is applied once more after its item has ended adds it again.
        const id = /^oJobManager-queues \["(?:w|due) .*"([0-9a-z]+) $/.exec(key)?.[1];
        if (id !== undefined) this.witness.tainted.add(id);
        if (key.startsWith('oJobManager-locks ["lock ')) this.#tainted = true;
      }
    };
    this.#ways.add(way);
    return way;
  }

  /** Adds items while the process lives. */
  #produce(queues: Queues, process: FakeProcess): void {
    process.after(this.#dice.between(50, 1_500), () => {
      if (this.#over || process.dead) return;
      void this.#add(queues).catch((error: unknown) => {
        if (!isChannelError(error) && !isQueueError(error)) this.#failed(error);
      });
      this.#produce(queues, process);
    });
  }

  /** Adds a new batch, or continues one whose producer got no answer. */
  async #addBatch(queues: Queues): Promise<void> {
    const [unfinished] = [...this.#batches];
    const isNew = unfinished === undefined || this.#dice.chance() < 0.5;
    const data = Array.from({ length: this.#dice.between(0, 6) }, () => this.#dice.chance());
    const [id, all] = isNew ? ([`batch-${this.witness.batches.size}`, data] as const) : unfinished;
    this.witness.batches.set(id, all.length);
    this.#batches.set(id, all);
    await queues.batch("q", id, all, { callback: { queue: "q", data: id } });
    this.#batches.delete(id);
  }

  async #add(queues: Queues): Promise<void> {
    const chance = (share: number): boolean => this.#dice.chance() < share;
    if (chance(0.1)) return this.#addBatch(queues);
    // One group floods the queue now and then.
    if (chance(0.05)) await this.#flood(queues, this.#dice.pick(["a", "b", "c"]));
    const data = this.#dice.chance();
    const { id, added, replaced } = await queues.add("q", data, {
      priority: this.#dice.pick([0, 0, 0, 5, -5]),
      ...(chance(0.5) && { group: this.#dice.pick(["a", "b", "c"]) }),
      ...(chance(0.4) && { unique: { key: this.#dice.pick(["k", "l"]), replace: chance(0.6) } }),
      ...(chance(0.2) && { delay: this.#dice.between(1, 6_000) }),
      ...(chance(0.1) && { ttl: this.#dice.between(500, 5_000) }),
    });
    if (added) this.#added.add(id);
    if (added || replaced) this.#given.add(data);
  }

  async #flood(queues: Queues, group: string): Promise<void> {
    for (let i = 0; i < FLOOD && !this.#over; i++) {
      const { id } = await queues.add("q", i, { group });
      this.#added.add(id);
    }
  }

  async #handle(process: FakeProcess, item: Item, effects: never): Promise<void> {
    const { run } = item;
    if (run.signal.aborted) throw run.signal.reason;
    const [taken] = this.witness.items.get(item.id)?.at.values() ?? [];
    if (taken !== undefined && "run" in taken && taken.run === run.id && taken.data !== item.data)
      this.#failed(new Error(`the newest data of ${item.id} is lost: its handler has older data`));
    const me: Inside = { process, run, item: item.id, stops: process.stops };
    for (const other of this.#inside) {
      // A process that is or was stopped may not know yet that it lost its lock.
      const knows = other.process.running && other.process.stops === other.stops;
      if (other.item === item.id && !other.run.signal.aborted && knows && process.running)
        this.#failed(new Error(`two attempts of ${item.id} at once: ${other.run.id} and ${run.id}`));
    }
    this.#inside.add(me);
    const mine = [...this.#inside].filter((one) => one.process === process);
    if (mine.length > CONCURRENCY) this.#failed(new Error(`${mine.length} handlers in one process`));
    if (item.data === LONG) {
      await new Promise<void>((resolve) => void process.after(LONG, resolve));
      this.#inside.delete(me);
      return item.complete("done", [{ channel: effects, ops: [{ put: item.id, value: run.id }] }]);
    }
    const takes = this.#dice.chance() < 0.8 ? this.#dice.between(0, 600) : this.#dice.between(0, 12_000);
    const obeys = this.#dice.chance() < 0.7;
    await new Promise<void>((resolve) => {
      process.after(takes, resolve);
      if (obeys) run.signal.addEventListener("abort", () => resolve());
    });
    this.#inside.delete(me);
    if (obeys && run.signal.aborted) throw run.signal.reason;
    const chance = this.#dice.chance();
    if (chance < 0.15) throw new Error("the handler failed");
    if (chance < 0.2) return item.fail("it never works", { retry: false });
    if (chance < 0.25) {
      await item.giveBack("simulated", chance < 0.225 ? {} : { delay: this.#dice.between(1, 1_000) });
      // With two stores, the record of the run may end first, and the process lose the lock of the item then.
      if (!this.#apart) this.#guarded(() => this.witness.givenBack(item.id, run.id));
      return;
    }
    await item.complete("done", [{ channel: effects, ops: [{ put: item.id, value: run.id }] }]);
  }

  /** From time to time the queue is paused or resumed, or an item is cancelled, discarded or retried. */
  #control(): void {
    this.clock.after(this.#dice.between(500, 4_000), () => {
      if (this.#over) return;
      const [one] = [...this.#alive].filter(([, { process }]) => process.running);
      if (one !== undefined) {
        void this.#command(one[0], one[1].queues).catch((error: unknown) => {
          if (!isChannelError(error) && !isQueueError(error) && !isRunError(error)) this.#failed(error);
        });
      }
      this.#control();
    });
  }

  async #command(manager: JobManager, queues: Queues): Promise<void> {
    const chance = this.#dice.chance();
    const reason = "simulated";
    if (chance < 0.15) {
      this.note("the queue is paused");
      await queues.pause("q", { reason });
    } else if (chance < 0.5) {
      await queues.resume("q", { reason });
    } else if (chance < 0.6) {
      await queues.redrive("q", { reason, limit: 2 });
    } else {
      const item = this.#dice.pick(await collect(queues.items("q", { limit: 10 })));
      if (item === undefined) return;
      if (chance < 0.75) return queues.retry("q", item.id, { reason });
      if (chance < 0.85 && item.state === "active") {
        await manager.cancel(item.runs.at(-1) ?? "", { reason, wait: 0 });
        return;
      }
      this.note(`${item.id} is discarded`);
      this.witness.removed.add(item.id);
      await queues.discard("q", item.id, { reason });
    }
  }

  async #calm(): Promise<void> {
    for (const { process } of this.#alive.values()) process.goOn();
    if (this.#tainted) for (const { end } of [...this.#alive.values()]) end("dies");
    await this.clock.advance(30_000);
    const [{ queues } = {}] = this.#alive.values();
    if (queues !== undefined) await this.clock.until(queues.resume("q"));
    for (const { process } of this.#alive.values()) process.ahead = 0;
    await this.clock.advance(CALM);
    // A wall clock that was ahead may have given an item a time that is far away.
    for (let i = 0; i < 10 && (await this.#isLeft()); i++) await this.clock.advance(APART);
  }

  /** Most workers have been idle for long. Adds an item for each slot: all of them begin at once. */
  async #judgeIdle(): Promise<void> {
    const [{ queues } = {}] = this.#alive.values();
    if (queues === undefined || this.#tainted) return;
    const slots = CONCURRENCY * this.#alive.size;
    for (let i = 0; i < slots; i++) this.#added.add((await this.clock.until(queues.add("q", LONG))).id);
    await this.clock.advance(this.#watch ? AT_ONCE : 2 * AT_ONCE);
    const waiting = slots - this.#inside.size;
    await this.clock.advance(3 * LONG);
    if (waiting > 0) throw new Error(`${waiting} items wait although workers have free slots`);
  }

  async #isLeft(): Promise<boolean> {
    const [{ queues } = {}] = this.#alive.values();
    if (queues === undefined) return false;
    const { waiting, delayed, active } = await this.clock.until(queues.counts("q"));
    return waiting + delayed + active > 0;
  }

  async #end(): Promise<void> {
    this.witness.flush();
    for (const data of this.#given)
      if (!this.witness.written.has(data)) throw new Error(`no item had the data ${data}`);
    const [[manager, { queues }] = [undefined, {}]] = this.#alive;
    // All processes may have died in the last moments, and none is restarted then.
    if (manager === undefined || queues === undefined) return;
    for (const id of this.witness.batches.keys())
      if (!this.#batches.has(id) && !this.witness.callbacks.has(id)) throw new Error(`${id} has no callback`);
    const left = await this.clock.until(collect(queues.items("q")));
    const stuck = left.find(({ state }) => state !== "dead");
    if (stuck !== undefined) throw new Error(`${stuck.id} is still ${stuck.state}: attempt ${stuck.attempt}`);
    const dead = new Set(left.map(({ id }) => id));
    for (const id of this.#added) {
      if (this.witness.tainted.has(id) || dead.has(id)) continue;
      if (this.witness.items.get(id)?.ended === undefined) throw new Error(`${id} was added, and never ended`);
    }
    const early = left.find(({ attempt, error = "" }) => attempt < ATTEMPTS && !/never works|cancelled/.test(error));
    if (early !== undefined) throw new Error(`${early.id} is dead after attempt ${early.attempt}: ${early.error}`);
    await this.#judgeRecords(manager);
    for (const [one, { queues }] of this.#alive) {
      await this.clock.until(queues.close());
      await this.clock.until(one.close());
    }
  }

  /** No run is open without an item, and no record of a completed run is there unless it is to stay. */
  async #judgeRecords(manager: JobManager): Promise<void> {
    if (this.#tainted) return;
    const records = await this.clock.until(collect(manager.history({ name: "q" })));
    const open = records.find(({ status }) => status === "running");
    if (open !== undefined) throw new Error(`the record of ${open.id} is still open`);
    // An end without its lock stays, and no run completes without its lock.
    const completed = records.find(({ status }) => status === "completed");
    if (completed === undefined || this.#record === "all" || this.#apart) return;
    throw new Error(`the record of ${completed.id} stays`);
  }
}
