import { setTimeout } from "node:timers/promises";
import { type Trend, type Trends, trendsOf } from "@ojm/core/internal/operator";
import type { Source } from "../source.js";

/** How long a trend of two weeks is reused, in ms, and one of runs that are not all counted yet. */
const LIFE = 60_000;
const COUNTING_LIFE = 2_000;

/** How long the list of the jobs waits for the trends: the first count of a store may take minutes. */
const WAIT = 200;

/** The trends of the jobs of a store, for all clients. */
class KnownTrends {
  readonly #source: Source;
  readonly #known: Map<string, { readonly trend: Trend | undefined; readonly counting: boolean; until: number }> =
    new Map();
  /** One read at a time: ten pages that need the same trends read them once. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(source: Source) {
    this.#source = source;
  }

  /** The trends of these jobs. */
  of(names: readonly string[]): Promise<Trends> {
    const read = this.#reading.then(() => this.#read(names));
    this.#reading = read.catch(() => {});
    return read.then(() => this.#shown(names));
  }

  /** Those that are known in a moment: the list of the jobs matters more than their trends. */
  async soon(names: readonly string[]): Promise<Trends> {
    const read = this.of(names).catch(() => {});
    await Promise.race([read, setTimeout(WAIT, undefined, { ref: false })]);
    return this.#shown(names);
  }

  async #read(names: readonly string[]): Promise<void> {
    const old = names.filter((name) => (this.#known.get(name)?.until ?? 0) < performance.now());
    if (old.length === 0) return;
    const { of, counting } = await trendsOf(this.#source.manager, old, Date.now());
    const until = performance.now() + (counting ? COUNTING_LIFE : LIFE);
    for (const name of old) this.#known.set(name, { trend: of.get(name), counting, until });
  }

  #shown(names: readonly string[]): Trends {
    const known = names.map((name) => [name, this.#known.get(name)] as const);
    return {
      of: new Map(known.flatMap(([name, one]) => (one?.trend === undefined ? [] : [[name, one.trend]]))),
      counting: known.some(([, one]) => one === undefined || one.counting),
    };
  }
}

const cache = new WeakMap<Source, KnownTrends>();

/** The trends of the jobs of a store. */
export function trendsIn(source: Source): KnownTrends {
  const known = cache.get(source) ?? new KnownTrends(source);
  cache.set(source, known);
  return known;
}
