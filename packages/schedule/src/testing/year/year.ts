import type { Run } from "@ojm/core";
import { collect } from "../../../../core/src/testing/settle.js";
import { ticks as ticksOn, walk } from "../../calendar/testing/walk.js";
import type { Overlap, ScheduleDefinition } from "../../definition/types.js";
import { CHANNEL } from "../../store/schema.js";
import { type SchedulerOf, World } from "../world.js";
import { type Downtime, Model, type Modelled } from "./model.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Zones with all kinds of offsets, and with changes of half an hour, of an hour and of two hours. */
const ZONES = [
  "UTC",
  "Europe/Lisbon",
  "America/New_York",
  "America/St_Johns",
  "America/Sao_Paulo",
  "Africa/Cairo",
  "Asia/Tehran",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
  "Pacific/Apia",
  "Antarctica/Troll",
];

const OVERLAPS: readonly Overlap[] = ["skip", "queue", "replace"];
const MISSED: readonly Pick<Modelled, "missed" | "max">[] = [
  { missed: "none", max: 0 },
  { missed: "latest", max: 1 },
  { missed: "all", max: 100 },
  { missed: "all", max: 5 },
];

interface Zone extends Modelled {
  readonly name: string;
  readonly timeZone: string;
  readonly model: Model;
}

/** A number below `most` that depends only on a text. */
function hashOf(text: string, most: number): number {
  let hash = 7;
  for (const letter of text) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return hash % most;
}

/** One body in eight takes longer than a minute. No end falls on a minute. */
function takes(zone: string, begin: number): number {
  const minute = `${zone} ${Math.floor(begin / MINUTE)}`;
  return hashOf(minute, 8) === 3 ? 61_011 + hashOf(`${minute} long`, 200_000) : 1_037;
}

/**
 * A job every minute in each of twelve zones, with all policies, in a store in memory with its own time.
 * Sometimes there is no process for a while. A model predicts the outcome of each tick.
 */
export class Year {
  readonly #world: World;
  readonly #zones: readonly Zone[];
  readonly #inside: Set<string> = new Set();
  readonly #faults: string[] = [];
  readonly #begun: Map<string, number> = new Map();
  #one: SchedulerOf | undefined;
  #generation = 0;
  /** The number of compared ticks, and all kinds of their outcomes. */
  ticks = 0;
  readonly kinds: Set<string> = new Set();

  /** `start`: a full hour. */
  constructor(start: string) {
    this.#world = new World(start);
    this.#zones = ZONES.map((timeZone, i) => {
      const overlap = OVERLAPS[i % 3] as Overlap;
      const name = `${timeZone} ${overlap} ${i % 4}`;
      const policy = { overlap, ...(MISSED[i % 4] as Pick<Modelled, "missed" | "max">) };
      const modelled = { ...policy, takes: (begin: number) => takes(name, begin) };
      return { name, timeZone, ...modelled, model: new Model(modelled) };
    });
  }

  /** Lets hours pass, in each of which there is no process for a while. Resolves to the differences. */
  async pass(hours: number): Promise<string[]> {
    if (this.#one === undefined) await this.#begin();
    const { clock } = this.#world;
    for (let hour = 0; hour < hours; hour++) {
      const start = clock.now() + 1;
      const next = start - (start % HOUR) + HOUR;
      // From half a minute to half an hour, and never at a tick.
      const from = start + 10 * MINUTE + 30_000 + hashOf(`${start} from`, 15) * MINUTE;
      const to = from + 31_000 + hashOf(`${start} to`, 1_800_000);
      // Nor within a second before a tick: waiting ticks must start before the one that replaces them.
      const down = { from, to: to % MINUTE < 59_000 && to % MINUTE > 0 ? to : to + 1_001 };
      await this.#until(down.from);
      await this.#end();
      await this.#until(down.to);
      await this.#begin();
      await this.#until(next - 1);
      await this.#compare(start, next, down);
    }
    return this.#faults;
  }

  async close(): Promise<void> {
    await this.#end();
  }

  async #until(time: number): Promise<void> {
    await this.#world.clock.advance(Math.max(0, time - this.#world.clock.now()));
  }

  async #begin(): Promise<void> {
    const one = await this.#world.scheduler(`${++this.#generation}`);
    this.#one = one;
    for (const zone of this.#zones) {
      const { run, max } = { run: zone.missed, max: zone.max };
      const missed = run === "all" ? { run, max } : run;
      const definition: ScheduleDefinition = {
        cron: "* * * * *",
        timeZone: zone.timeZone,
        overlap: zone.overlap,
        missed,
      };
      await this.#world.clock.until(one.scheduler.add(zone.name, definition, (it) => this.#body(it)));
    }
  }

  async #end(): Promise<void> {
    const { scheduler, manager, way } = this.#one as SchedulerOf;
    await this.#world.clock.until(scheduler.close());
    await this.#world.clock.until(manager.close());
    // The world keeps all of them: ninety days of commits fill the memory.
    way.commits.length = 0;
  }

  async #body({ name, signal, startTime }: Run): Promise<void> {
    if (this.#inside.has(name)) this.#faults.push(`two bodies of ${name} at once, at ${iso(startTime)}`);
    this.#inside.add(name);
    this.#begun.set(name, (this.#begun.get(name) ?? 0) + 1);
    await new Promise<void>((resolve) => {
      this.#world.clock.after(takes(name, startTime), resolve);
      signal.addEventListener("abort", () => resolve());
    });
    this.#inside.delete(name);
  }

  /** Compares the ticks of an hour with the walk and the model, and removes them. */
  async #compare(start: number, next: number, down: Downtime): Promise<void> {
    const { manager, scheduler, way } = this.#one as SchedulerOf;
    const channel = await this.#world.clock.until(manager.channel(CHANNEL));
    for (const { name, timeZone, model } of this.#zones) {
      const every = { text: "* * * * *", fits: () => true, rule: "clock" } as const;
      const walked = ticksOn(every, walk(timeZone, start + MINUTE - 1 - ((start - 1) % MINUTE), next, MINUTE));
      model.pass(walked, down, next);
      const told = new Map<number, string>();
      for (const { at, until = at, outcome, reason } of await collect(scheduler.ticks(name))) {
        // A waiting tick has its outcome in a later hour.
        if (outcome === "waiting") continue;
        for (let tick = at; tick <= until; tick += MINUTE) {
          if (told.has(tick)) this.#faults.push(`${name} has two outcomes of ${iso(tick)}`);
          told.set(tick, reason === undefined ? outcome : `${outcome} ${reason}`);
        }
      }
      this.#compareOne(name, told, model.outcomes);
      for await (const { key } of channel.keys({ prefix: ["tick", name] })) await channel.unset(key);
      model.outcomes.clear();
    }
    await this.#world.clock.until(manager.prune({ olderThan: 0 }));
    way.commits.length = 0;
  }

  #compareOne(name: string, told: ReadonlyMap<number, string>, model: ReadonlyMap<number, string>): void {
    this.ticks += model.size;
    for (const [tick, outcome] of model) {
      this.kinds.add(outcome);
      if (told.get(tick) !== outcome) this.#faults.push(`${name} ${iso(tick)}: ${told.get(tick)}, not ${outcome}`);
    }
    for (const tick of told.keys())
      if (!model.has(tick)) this.#faults.push(`${name} ${iso(tick)} is not a tick of the hour`);
    const runs = [...told.values()].filter((outcome) => outcome === "run").length;
    const begun = this.#begun.get(name) ?? 0;
    if (runs !== begun)
      this.#faults.push(
        `${name}: ${begun} bodies began for ${runs} ticks, before ${iso([...told.keys()].at(-1) ?? 0)}`,
      );
    this.#begun.delete(name);
  }
}

const iso = (at: number): string => new Date(at).toISOString();
