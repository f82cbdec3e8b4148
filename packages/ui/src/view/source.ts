import type { JobManager } from "@ojm/core";
import type { Queues } from "@ojm/queue";
import type { Scheduler } from "@ojm/schedule";
import {
  attendanceOf,
  type LiveStore,
  type ScheduleState,
  type StoreSnapshot,
  scheduleState,
} from "@ojm/schedule/operator";
import type { OtherReason } from "../types.js";

/** The followed store, whose data is known without a read. */
export interface Followed {
  /**
   * The state that the watches report, once it is complete.
   *
   * @throws ChannelError if the store is away, or if its watches are
   */
  store(): Promise<LiveStore>;
  /**
   * The current state of the store, for operators. It also reads what no watch reports.
   *
   * @throws ChannelError if the store is away
   */
  snapshot(): Promise<StoreSnapshot>;
  /** The names that have a record. */
  names(): Promise<ReadonlySet<string>>;
  /** Reads about jobs, shared by all clients. */
  readonly reads: JobReads;
  /** Announces at once that a user has changed a job. */
  touch(name: string): void;
}

/** What the views read from, and how they show it. */
export interface Source {
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  readonly queues: Queues;
  readonly hub: Followed;
  readonly showResults: boolean;
  mask(text: string): string;
  /** See `ViewOptions`. */
  reasons(name?: string): Promise<readonly OtherReason[]>;
}

/** The states of schedules now, by name. */
export function statesIn(store: LiveStore): (name: string) => ScheduleState | undefined {
  const [unattended, now] = [attendanceOf(store.schedulers()), Date.now()];
  return (name) => {
    const schedule = store.schedule(name);
    return schedule && scheduleState(schedule, unattended, now);
  };
}

/** How many names are read at once. */
const AT_ONCE = 8;

/** Calls `work` for each item, a few at once. Keeps the order. */
export async function mapSome<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map(work))));
  }
  return results;
}

/** The longest list as JSON, in characters: a longer page is slow to read and to show. */
const MOST_TEXT = 180_000;

/** The first items that fit into one answer, at least one. */
export class Fitting<T> {
  readonly items: T[] = [];
  #size = 0;

  /** Adds an item if it fits. `size`: its length as JSON, if that is known. */
  add(item: T, size: number = JSON.stringify(item).length): boolean {
    this.#size += size;
    if (this.#size > MOST_TEXT && this.items.length > 0) return false;
    this.items.push(item);
    return true;
  }
}

/**
 * The first items that fit into one answer, at least one and at most `limit`. `more`: whether there are
 * others.
 */
export function fitting<T>(all: readonly T[], limit: number = all.length): { items: readonly T[]; more: boolean } {
  const fit = new Fitting<T>();
  const isWhole = all.slice(0, limit).every((item) => fit.add(item));
  return { items: fit.items, more: !isWhole || all.length > limit };
}

/** These fields of an object, as far as it has them: any program can write more into a store. */
export function pick<T extends object, K extends keyof T>(from: T, ...fields: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    fields.flatMap((field) => (from[field] === undefined ? [] : [[field, from[field]]])),
  ) as Pick<T, K>;
}

/** The first `limit` items of an asynchronous list. */
export async function take<T>(items: AsyncIterable<T>, limit: number): Promise<T[]> {
  const taken: T[] = [];
  if (limit <= 0) return taken;
  for await (const item of items) {
    taken.push(item);
    if (taken.length === limit) break;
  }
  return taken;
}

/**
 * An answer that several clients request at once is read once, and reused for a moment: ten tabs cost as much
 * as one. With `whileRead`, the old answer is used until the new one is there.
 */
export class Shared<T> {
  readonly #read: () => Promise<T>;
  readonly #life: number;
  readonly #whileRead: boolean;
  #current: Promise<T> | undefined;
  #until = 0;

  constructor(
    read: () => Promise<T>,
    { life, whileRead = false }: { readonly life: number; readonly whileRead?: boolean },
  ) {
    this.#read = read;
    this.#life = life;
    this.#whileRead = whileRead;
  }

  get(): Promise<T> {
    const current = this.#current;
    if (current !== undefined && performance.now() < this.#until) return current;
    // It is not read twice at once.
    this.#until = Number.POSITIVE_INFINITY;
    const next = this.#read();
    next.then(
      () => {
        this.#until = performance.now() + this.#life;
        this.#current = next;
      },
      () => {
        this.#until = 0;
        if (this.#current === next) this.#current = undefined;
      },
    );
    if (this.#whileRead && current !== undefined) return current;
    this.#current = next;
    return next;
  }
}

/** The most reads that are remembered: those of ten pages of jobs. */
const MOST_READS = 1_000;

/** How long a read is reused, in ms: no watch reports a prune or an import. */
const READ_LIFE = 2_000;

/** Reads about jobs. Each is reused until one of its jobs changes: ten pages cost as much as one. */
export class JobReads {
  readonly #changes: Map<string, number> = new Map();
  /** The reads, each with the number of the last change before it. */
  readonly #reads: Map<string, { change: number; until: number; answer: Promise<unknown> }> = new Map();
  #change = 0;

  /** A watch reports that a job changed. */
  changed(name: string): void {
    this.#changes.set(name, ++this.#change);
  }

  /** No watch reports changes any more. */
  clear(): void {
    this.#reads.clear();
    this.#changes.clear();
  }

  /** What `read` resolves to for these jobs. `key` identifies what is read. */
  get<T>(key: string, names: readonly string[], read: () => Promise<T>): Promise<T> {
    const known = this.#reads.get(key);
    if (known !== undefined && performance.now() < known.until && this.#isUnchanged(names, known.change))
      return known.answer as Promise<T>;
    const answer = read();
    const own = { change: this.#change, until: performance.now() + READ_LIFE, answer };
    this.#reads.delete(key);
    this.#reads.set(key, own);
    answer.catch(() => {
      if (this.#reads.get(key) === own) this.#reads.delete(key);
    });
    const [oldest] = this.#reads.keys();
    if (this.#reads.size > MOST_READS && oldest !== undefined) this.#reads.delete(oldest);
    return answer;
  }

  #isUnchanged(names: readonly string[], change: number): boolean {
    return names.every((name) => (this.#changes.get(name) ?? 0) <= change);
  }
}

/** A JSON value with all its texts masked. */
export function masked<T>(value: T, mask: (text: string) => string): T {
  return maskedValue(value, mask) as T;
}

function maskedValue(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map((one) => maskedValue(one, mask));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [mask(key), maskedValue(one, mask)]));
}
