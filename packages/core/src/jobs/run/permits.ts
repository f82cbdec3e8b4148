import type { Channel } from "../../channel/channel.js";
import { readable } from "../../channel/corrupt.js";
import type { JsonValue } from "../../channel/encoding/json.js";
import type { Entry, Key, Op, Version } from "../../channel/types.js";
import { follow } from "../../channel/watch/follow.js";
import { Waker } from "../../locks/acquire/wait-watch.js";
import { lockKey, queueKey } from "../../locks/entries/schema.js";
import { whom } from "../../locks/entries/view.js";
import { isLockError, LockError } from "../../locks/errors.js";
import type { Lease } from "../../locks/hold/lease.js";
import type { Locks } from "../../locks/locks.js";
import type { Holder } from "../../locks/types.js";
import { firstOf, whenAborted } from "../../util/abort.js";
import type { Clock } from "../../util/clock.js";
import { isCount, present } from "../../util/shape.js";
import { visible } from "../../util/text.js";
import type { CheckedOptions } from "../options.js";
import type { LimitWaiter, RunRecord } from "../types.js";
import { type Handover, type OwnLine, OwnLines, type Turn } from "./own-line.js";
import { isPermit, isPermitLimit, type PermitValue, permitKey } from "./permit-entries.js";
import { lineOfRate, type Outstaying, Rate, usedUpText } from "./rates.js";

/*
 * Permits limit how many runs have something at once. They are entries in the channel of the locks:
 *   ["permit", NAME]        the limit that an operator set; it replaces the number of the run
 *   ["permit", NAME, I]     a permit that a run has. The commit that takes the lock of the run writes it, and
 *                           the commit that releases the lock deletes it. So both have the same version.
 *
 * A permit counts only while the lock of its run is in the store at that version, and its session is alive.
 * So whatever ends a lock returns its permits, even if that leaves their entries behind.
 *
 * Runs wait in line at locks with reserved names: first at that of their set of permits, then at that of the
 * permit that has none free. The first in that line alone watches the permit. A run that finds another of
 * its permits taken changes the line, so it keeps no place that others could use. No run has some of its
 * permits while it waits for others: one commit takes all of them. So sets that overlap cannot deadlock.
 *
 * The token of a rate (see rates.ts) is taken and waited for like one more permit of the set. The first in
 * its line sleeps until the token is free: no process returns one.
 *
 * The runs of one process that wait for the same have one place in these lines (see own-line.ts). They hand
 * it over with what they know, so that a start that follows another one reads nothing.
 */

/** How often the first in line checks for dead holders, in ms. Returned permits are reported by a watch. */
const POLL = 500;

/** How long a process may have its place in a line, in ms: longer than any window of a rate. */
const LONGEST_PLACE = 40 * 86_400_000;

/** How long runs of one process may follow each other before the next process has its turn, in ms. */
const TURN = 200;

/** The most free places of a permit that are remembered, for the runs of a process that follow each other. */
const MOST_FREE = 16;

/** The number of holders in the text of an error. */
const NAMED = 3;

const slotKey = (name: string, i: number): Key => ["permit", name, i];

/** The name of the lock at which runs wait in line for one permit. */
export const lineOf = (permit: string): string => `ojm permit ${permit}`;

/** What a run takes with its lock. */
export type Taking = Pick<RunRecord, "permits" | "rate">;

/** The note of a run in a line: its name, and what it takes. */
export interface LineNote extends Taking {
  readonly for: string;
  /** The names of more runs of its process that wait for the rate. */
  readonly more?: readonly string[];
}

/** A permit as it was read. */
export interface PermitState {
  readonly name: string;
  readonly limit: number;
  /** The version of the limit that an operator set. */
  readonly limitVersion: Version | null;
  /** The runs that have one. `undefined`: a later version wrote the entry, so it counts. */
  readonly holders: readonly (PermitValue | undefined)[];
  /** The first places for the next runs, each with the version of what a dead run left there. */
  readonly free: readonly { readonly at: number; readonly version: Version | null }[];
  /** The version of any of the entries; `undefined` if there are none. */
  readonly some: Version | undefined;
  /** Whether a run has a place beyond the limit. */
  readonly isOver: boolean;
}

type Slots = Map<number, Pick<Entry<unknown>, "value" | "version">>;
type Source = Pick<PermitContext, "locks" | "lockChannel">;

/**
 * Reads the holders of a permit. `own`: the limit, unless an operator has set another one. Without it, the
 * holders are read although permits are free.
 */
export async function readPermit(source: Source, name: string, own: number | undefined): Promise<PermitState> {
  let limit = own ?? 0;
  let limitVersion: Version | null = null;
  const slots: Slots = new Map();
  for await (const { key, value, version } of readable(source.lockChannel, { prefix: permitKey(name) })) {
    const [, , at] = key as readonly unknown[];
    if (isCount(at)) slots.set(at, { value, version });
    if (at !== undefined) continue;
    limitVersion = version;
    if (isPermitLimit(value)) limit = value.limit;
  }
  // If there are fewer entries than permits, one is free, whichever of these count.
  const counting = own !== undefined && slots.size < limit ? slots : await countingOf(source, slots);
  const places = Math.min(limit - counting.size, MOST_FREE);
  const free: { readonly at: number; readonly version: Version | null }[] = [];
  for (let at = 0; free.length < places; at++)
    if (!counting.has(at)) free.push({ at, version: slots.get(at)?.version ?? null });
  return {
    name,
    limit,
    limitVersion,
    holders: [...counting.values()].map(({ value }) => (isPermit(value) ? value : undefined)),
    free,
    some: limitVersion ?? [...slots.values()][0]?.version,
    isOver: [...slots.keys()].some((place) => place >= limit),
  };
}

/** The permits that count: their run has its lock, and its session is not over. */
async function countingOf({ locks, lockChannel }: Source, slots: Slots): Promise<Slots> {
  const names = [...new Set([...slots.values()].flatMap(({ value }) => (isPermit(value) ? [value.lock] : [])))];
  const found = await lockChannel.entriesUnder(names.map(lockKey));
  const versions = new Map(found.map((entry, i) => [names[i], entry?.version] as const));
  const counting = new Map(slots);
  for (const [at, { value, version }] of slots) {
    if (!isPermit(value)) continue;
    if (versions.get(value.lock) !== version || (await locks.operator.isGone(value.holder))) counting.delete(at);
  }
  return counting;
}

/** Permits and a rate, in words. */
export function limitsText({
  permits = [],
  rate,
}: Pick<LimitWaiter, "permits"> & { readonly rate?: string | undefined }): string {
  const names = permits.map((name) => `"${visible(name)}"`).join(", ");
  const ofPermits = permits.length === 0 ? [] : [`the ${permits.length === 1 ? "permit" : "permits"} ${names}`];
  return [...ofPermits, ...(rate === undefined ? [] : [`the rate "${visible(rate)}"`])].join(" and ");
}

/** Who has a permit, in words. */
export function takenText({ name, limit, holders }: PermitState): string {
  const named = holders.slice(0, NAMED).map((one) => {
    return one === undefined ? "a run of a later version of ojm" : `${visible(one.run)} on ${whom(one.holder)}`;
  });
  const more = holders.length > NAMED ? [`${holders.length - NAMED} more`] : [];
  const by = named.length === 0 ? "" : `, by ${[...named, ...more].join("; ")}`;
  const which = `"${visible(name)}"`;
  if (limit === 0) return `the limit of the permit ${which} is 0${by && `; it is held${by}`}`;
  return limit === 1 ? `the permit ${which} is taken${by}` : `all ${limit} permits ${which} are taken${by}`;
}

/** What runs need to get permits and tokens. */
export interface PermitContext {
  readonly locks: Locks;
  /** The channel of the locks. It also has the attempts that are due. */
  readonly lockChannel: Channel<unknown>;
  readonly clock: Clock;
  /** Fires when these runs are closed: nothing starts after that. */
  readonly closing: AbortSignal;
  /** Ends the waits for locks of runs that close before their manager, which ends all waits itself. */
  readonly waitUntil?: AbortSignal;
  /** The runs that wait for permits and rates. */
  readonly ownLines: PermitLines;
}

/** A place in a line in the store. */
interface Place {
  readonly line: string;
  readonly lease: Lease;
  /** Wakes the first in line of a permit when that changes. */
  readonly waker: Waker;
  stop(): void;
}

/** What a run of this process knows when it starts: the next one need not read it again. */
interface Known {
  readonly states: readonly PermitState[];
  readonly rate: Rate | undefined;
}

/** The places of a run whose turn is over, in the line of its set and in that of one permit or rate. */
class Places implements Handover {
  readonly #clock: Clock;
  inSet: Place | undefined;
  inLine: Place | undefined;
  /** Set once its run has started. */
  known: Known | undefined;
  #until = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get #all(): readonly Place[] {
    return [this.inSet, this.inLine].filter((place) => place !== undefined);
  }

  /** The process has a place. With the first one, its turn begins. */
  entered(where: "inSet" | "inLine", place: Place): void {
    if (this.#all.length === 0) this.#until = this.#clock.monotonic() + TURN;
    this[where] = place;
  }

  get isKept(): boolean {
    const hasEnded = this.#all.some(({ lease }) => lease.signal.aborted);
    return this.inLine !== undefined && !hasEnded && this.#clock.monotonic() < this.#until;
  }

  leaveLine(): void {
    this.inLine?.stop();
    this.inLine = undefined;
  }

  giveUp(): void {
    this.leaveLine();
    this.inSet?.stop();
    this.inSet = undefined;
  }
}

/** The lines of a process for permits and rates. */
export class PermitLines extends OwnLines<Places> {
  /** By the name of a rate, its tokens that stay too long. */
  readonly outstaying: Map<string, Outstaying> = new Map();
}

/** A run gets in line once other runs took this many free tokens before it. */
const MOST_LOST = 3;

/** The longest pause before such a try, in ms. */
const LONGEST_REST = 100;

/** The permits, and the token of a rate, of a run that is being started. */
export class Permits {
  readonly #context: PermitContext;
  readonly #name: string;
  readonly #options: CheckedOptions;
  readonly #wanted: readonly (readonly [name: string, limit: number])[];
  readonly #until: number;
  readonly #rate: Rate | undefined;
  #states: readonly PermitState[] = [];
  /** The permit or the rate that the run did not get in time. */
  missing: { readonly permit?: string; readonly rate?: string } = {};
  /** How many free tokens other runs took before this one. */
  #lost = 0;
  /** Set while it is the turn of this run among those of its process. */
  #turn: Turn<Places> | undefined;
  #places: Places;

  constructor(context: PermitContext, name: string, options: CheckedOptions) {
    this.#context = context;
    this.#name = name;
    this.#options = options;
    // In a fixed order: runs with the same set wait in one line.
    this.#wanted = Object.entries(options.permits ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    this.#rate =
      options.rate && new Rate(context.lockChannel, options.rate, context.clock, context.ownLines.outstaying);
    this.#places = new Places(context.clock);
    this.#until = context.clock.monotonic() + (options.permitWait ?? options.wait);
  }

  /** Reads the permits and the rate. Call it before the first attempt. */
  async read(): Promise<void> {
    // Behind others, the commit would fail.
    if (this.#isBehindOwn && this.#waits) await this.#waiting((over) => this.#waitForTurn(over));
    else await Promise.all([this.#readPermits(), this.#rate?.readNext()]);
  }

  async #readPermits(): Promise<void> {
    this.#states = await Promise.all(this.#wanted.map(([name, limit]) => readPermit(this.#context, name, limit)));
  }

  /** Reads all. Resolves to whether another run has taken a token since the last read. */
  async #readAll(): Promise<boolean> {
    const [, hasMoved = false] = await Promise.all([this.#readPermits(), this.#rate?.read()]);
    return hasMoved;
  }

  /** The checks and writes that take all permits, and the keys that the release of the lock deletes. */
  prepare({ id: run }: RunRecord, holder: Holder): { readonly lockOps: Op<unknown>[]; readonly ownKeys: Key[] } {
    const ownKeys: Key[] = [];
    const value: PermitValue = { run, lock: this.#options.lock ?? this.#name, holder };
    const lockOps: Op<unknown>[] = this.#lines.map((key) => ({ check: key, version: null }));
    if (this.#states.length < this.#wanted.length) throw new Error("the permits of a run were not read");
    for (const { name, free: places, limit, limitVersion, isOver, some = null } of this.#states) {
      const [free] = places;
      // Without a free permit, the commit fails at this check. Its answer says whether the lock is free. The
      // same for a run that must not pass those of its process: their line in the store may be empty.
      if (free === undefined || (this.#isBehindOwn && some !== null))
        lockOps.push({ check: ["permit", name, "none"], version: some });
      const key = slotKey(name, free?.at ?? 0);
      ownKeys.push(key);
      lockOps.push({ check: permitKey(name), version: limitVersion }, { put: key, value });
      if (free !== undefined) lockOps.push({ check: key, version: free.version });
      // Two starts may see different permits beyond a lowered limit: let one of them fail.
      if (isOver && limitVersion !== null) lockOps.push({ put: permitKey(name), value: { limit } });
    }
    // It must not pass the runs of its process that wait. The line in the store may be empty between two.
    if (this.#rate !== undefined) lockOps.push(...this.#rate.ops(run, this.#isBehindOwn));
    return { lockOps, ownKeys };
  }

  /** The line of each permit, and of the rate. */
  get #allLines(): readonly string[] {
    return [...this.#wanted.map(([name]) => lineOf(name)), this.#rateLine].filter((line) => line !== undefined);
  }

  get #rateLine(): string | undefined {
    return this.#rate && lineOfRate(this.#rate.terms.name);
  }

  /** The line of runs that take the same set; `undefined` if they take one permit or token. */
  get #setLine(): string | undefined {
    if (this.#allLines.length < 2) return undefined;
    const rate = this.#rate === undefined ? "" : ` rate ${JSON.stringify(this.#rate.terms.name)}`;
    return `ojm permits ${JSON.stringify(this.#wanted.map(([name]) => name))}${rate}`;
  }

  /** The entries of the lines that must be empty: a newcomer must not pass those that wait. */
  get #lines(): Key[] {
    const { inSet, inLine } = this.#places;
    if (inLine !== undefined) return [];
    const ofSet = this.#setLine !== undefined && inSet === undefined ? [this.#setLine] : [];
    return [...ofSet, ...this.#allLines].flatMap((line) => [lockKey(line), queueKey(line)]);
  }

  /** A check failed although the lock is free: waits in line until all permits are free. */
  async refused(): Promise<void> {
    await this.#waiting(async (over) => {
      if (this.#turn !== undefined) {
        await this.#readAll();
        await this.#waitInLine(over);
      } else if ((this.#isBehindOwn && this.#waits) || !(await this.#mayTryAgain(over))) await this.#waitForTurn(over);
    });
  }

  /** Runs a wait that the ends of the run, of its wait and of its manager end. */
  async #waiting(wait: (over: AbortSignal) => Promise<void>): Promise<void> {
    const { signal, waitSignal } = this.#options;
    const { closing, waitUntil, clock } = this.#context;
    const late = new AbortController();
    const ends = [closing, waitUntil, signal, waitSignal, this.#waits ? late.signal : undefined];
    const over = firstOf(...ends.filter((one) => one !== undefined));
    // Keeps the process alive: the watch and the polls do not.
    const cancel = clock.after(Math.max(1, this.#until - clock.monotonic()), () => late.abort(), true);
    const forget = whenAborted(over.signal, () => this.#places.inLine?.waker.wake());
    try {
      await wait(over.signal);
    } catch (error) {
      this.leave();
      throw isLockError(error) ? this.#error() : error;
    } finally {
      forget();
      cancel();
      over.forget();
    }
  }

  /** Whether another attempt may succeed: nothing keeps this run from it. */
  async #mayTryAgain(over: AbortSignal): Promise<boolean> {
    const hasMoved = await this.#readAll();
    if ((await this.#blocking()) === undefined && !this.#isBehindOwn) {
      if (this.#rate === undefined || !hasMoved) return true;
      // Of many runs at once, each start would make all others fail. In a line, they do not compete.
      if (++this.#lost < MOST_LOST || !this.#waits) {
        if (over.aborted) throw this.#error();
        const { clock } = this.#context;
        const part = Number.parseInt(clock.random(4), 36) / 36 ** 4;
        const rest = part * Math.min(2 ** this.#lost, LONGEST_REST);
        await new Promise<void>((resolve) => clock.after(rest, resolve, true));
        return true;
      }
    }
    this.#assertWaits(over);
    return false;
  }

  /** Waits for the turn of this run among those of its process, and then for that of the process. */
  async #waitForTurn(over: AbortSignal): Promise<void> {
    this.#turn = await this.#ownLine.enter(this.#name, over);
    if (this.#turn === undefined) throw this.#error();
    this.#places = this.#turn.given ?? this.#places;
    const { known } = this.#places;
    if (known !== undefined) {
      this.#states = known.states;
      if (known.rate !== undefined) this.#rate?.assume(known.rate);
      this.#places.known = undefined;
      await this.#readUnknown();
    } else await this.#readAll();
    await this.#waitInLine(over);
  }

  /** Waits until all is free that this run takes, first in the line for what is not. */
  async #waitInLine(over: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const places = this.#places;
    for (;;) {
      const line = (await this.#blocking()) ?? this.#contended;
      if (line === undefined) return;
      this.#assertWaits(over);
      const { inSet, inLine } = places;
      if (inLine?.line === line) {
        const rate = line === this.#rateLine ? this.#rate : undefined;
        await inLine.waker.next(Math.min(rate?.pause ?? POLL, this.#until - clock.monotonic()));
        // Of a rate, only the time must pass, unless a person deletes a token.
        if (rate === undefined) await this.#readPermits();
        else if (rate.rest > 0 && !over.aborted) await rate.read();
        continue;
      }
      if (this.#setLine !== undefined && inSet === undefined)
        places.entered("inSet", await this.#enter(this.#setLine, over));
      else {
        // Leave the other line first: a run that waits for this permit must not keep others from that one.
        places.leaveLine();
        places.entered("inLine", await this.#enter(line, over));
      }
      await this.#readAll();
    }
  }

  /** The line to wait in although nothing is taken: other processes were faster again and again. */
  get #contended(): string | undefined {
    return this.#lost >= MOST_LOST && this.#places.inLine === undefined ? this.#rateLine : undefined;
  }

  /** Reads what the run before did not know. */
  async #readUnknown(): Promise<void> {
    const isFull = this.#lacking.permit !== undefined;
    await Promise.all([isFull && this.#readPermits(), this.#rate?.isKnown === false && this.#rate.readTokens()]);
  }

  /** The line of the runs of this process that take the same. */
  get #ownLine(): OwnLine<Places> {
    const terms = this.#rate?.terms;
    // A run with permits waits for its lock, too, which another one of its name may have.
    const isRateAlone = this.#wanted.length === 0 && terms !== undefined;
    const key = isRateAlone ? terms.name : JSON.stringify([this.#name, this.#wanted, terms]);
    return this.#context.ownLines.of(key);
  }

  /** Whether runs of this process wait for the same, and it is not the turn of this one. */
  get #isBehindOwn(): boolean {
    return this.#turn === undefined && !this.#ownLine.isEmpty;
  }

  get #note(): { readonly [field: string]: JsonValue } {
    const more = this.#ownLine.names.filter((name) => name !== this.#name);
    return {
      for: this.#name,
      ...(more.length > 0 && { more }),
      ...(this.#wanted.length > 0 && { permits: Object.fromEntries(this.#wanted) }),
      ...(this.#rate && { rate: { ...this.#rate.terms } }),
    };
  }

  /** A permit that has none free, or else the rate if it is used up, as last read. */
  get #lacking(): { readonly permit?: PermitState; readonly rate?: Rate } {
    const permit = this.#states.find(({ free }) => free.length === 0);
    if (permit !== undefined) return { permit };
    return this.#rate !== undefined && this.#rate.rest > 0 ? { rate: this.#rate } : {};
  }

  /** The line to wait in: all its permits are taken, or others wait. `undefined`: the run may start. */
  async #blocking(): Promise<string | undefined> {
    const { permit, rate } = this.#lacking;
    if (permit !== undefined) return lineOf(permit.name);
    if (rate !== undefined) return this.#rateLine;
    const lines = this.#lines;
    if (lines.length === 0) return undefined;
    const found = await this.#context.lockChannel.entriesUnder(lines);
    const at = found.findIndex((entry) => entry !== undefined);
    const line = (lines[at] as readonly string[] | undefined)?.[1];
    // Of the line of the set, wait at the end, like all others with this set.
    return line === this.#setLine ? line && this.#allLines[0] : line;
  }

  async #enter(line: string, over: AbortSignal): Promise<Place> {
    const { locks, lockChannel, clock } = this.#context;
    const wait = Math.max(1, this.#until - clock.monotonic());
    const lease = await locks.acquire(line, { wait, timeout: LONGEST_PLACE, signal: over, note: this.#note });
    const waker = new Waker(clock);
    const ended = new AbortController();
    const wake = (): void => waker.wake();
    const followed = { put: wake, gone: wake, synced: wake };
    const permit = this.#wanted.find(([name]) => lineOf(name) === line)?.[0];
    if (permit !== undefined)
      follow(lockChannel, clock, permitKey(permit), followed, ended.signal, () => {}).catch(() => {});
    const stop = (): void => {
      ended.abort();
      // If the store does not answer, the next heartbeat repeats it.
      void lease.release().catch(() => {});
    };
    return { line, lease, waker, stop };
  }

  get #waits(): boolean {
    return this.#context.clock.monotonic() < this.#until;
  }

  #assertWaits(over: AbortSignal): void {
    if (over.aborted || !this.#waits) throw this.#error();
  }

  #error(): LockError {
    const { permit, rate } = this.#lacking;
    const permits = this.#wanted.map(([name]) => name);
    const own = this.#rate?.terms.name;
    const isOfRate = rate !== undefined || permits.length === 0;
    this.missing = isOfRate ? present({ rate: own }) : present({ permit: permit?.name ?? permits[0] });
    const ahead = `other runs are ahead in the line for ${limitsText({ permits, rate: own })}`;
    const text = permit ? takenText(permit) : rate ? usedUpText(rate) : ahead;
    return new LockError("LOCKED", this.#options.lock ?? this.#name, text);
  }

  /** The run has its lock, its permits and its token. */
  started(fence: Version): void {
    this.#rate?.taken(fence);
    const states = this.#states.map((state) => ({ ...state, free: state.free.slice(1) }));
    this.#places.known = { states, rate: this.#rate };
  }

  /** Ends its turn: the run has its permits, or cannot start now. */
  leave(): void {
    const [turn, places] = [this.#turn, this.#places];
    this.#turn = undefined;
    this.#places = new Places(this.#context.clock);
    if (turn === undefined) places.giveUp();
    else turn.end(places);
  }
}
