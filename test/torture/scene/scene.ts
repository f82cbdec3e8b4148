import type { StoreKind, TortureStore } from "../stores/store.js";
import type { Struck } from "../traffic/harm.js";
import type { Harm, Mode, Version } from "./events.js";
import { LagWatch } from "./lag-watch.js";
import type { EventOf, Member } from "./member.js";
import { hostTime } from "./time.js";

/** How long to wait for an expected event, in ms. Only a failing cell waits this long. */
export const PATIENCE = 60_000;

/**
 * The longest that one check of the workers counts as waiting, in ms. If it takes longer, this process was
 * suspended, and could not see in time what the workers did.
 */
const LOOK = 100;

/**
 * A time in which the store considered a lock free while its holder could not know: two bodies may run until
 * it knows.
 */
export interface Excuse {
  /** The name of the lock. Without it, the excuse is for all names. */
  readonly name?: string;
  /** The owner of the lock, where it is known: the run with this fence, or all runs of this session. */
  readonly fence?: string;
  readonly session?: string;
  readonly from: number;
  /** The excuse covers runs that requested their lock until then. */
  readonly to: number;
  /** Whether a forced unlock caused it, not a fault. */
  readonly byForce?: true;
  /**
   * Whether it may have closed only the record of the run. That comes first, and the holder may release the
   * lock in between.
   */
  readonly recordOnly?: true;
  /**
   * Whether it was only an announcement, by a node that no longer leads and acknowledges nothing: no other
   * run can have the lock.
   */
  readonly newsOnly?: true;
}

/** A time in which calls to the store may fail or hang: those of one worker, or of all. */
export interface Trouble {
  readonly member?: Member;
  readonly from: number;
  to: number;
}

/** The workers did not reach an expected state. */
export class NotSo extends Error {}

/** A body that was ordered to hold its lock for a while, so that a fault strikes a holder. */
export interface HeldBody {
  readonly member: Member;
  readonly run: EventOf<"enter">;
}

/** A running cell: its store, its workers, and what was done to them. */
export class Scene {
  readonly kind: StoreKind;
  readonly store: TortureStore;
  readonly mode: Mode;
  readonly ttl: number;
  readonly names: readonly string[];
  readonly chance: () => number;
  readonly members: Member[] = [];
  /** The times in which this process did not run. Traffic through its proxies stopped too. */
  readonly lags: LagWatch = new LagWatch();
  readonly notes: { readonly t: number; readonly text: string }[] = [];
  readonly excuses: Excuse[] = [];
  readonly troubles: Trouble[] = [];
  /** The time in which the store lost all its data and was unreachable. */
  dataLost: { readonly from: number; readonly to: number } | undefined;
  /**
   * The time in which a master of the records still answered although it was replaced. The writes that it
   * accepted are lost.
   */
  staleRecords: { readonly from: number; readonly to: number } | undefined;
  /** The time in which a replaced master came back: it may announce what it could not acknowledge. */
  lateNews: { readonly from: number; readonly to: number } | undefined;
  /**
   * The time in which a replaced master granted locks to a worker that did not reach the records. Those locks
   * are lost. A record of such a run may arrive later, when no lock leads to it any more.
   */
  strayRecords: { readonly from: number; readonly to: number } | undefined;
  /** Whether the wall clock of a worker was set back: the ticks that it decides on come only later. */
  isSetBack = false;
  /** Whether it was set at all: schedulers warn of ticks that such a worker decided on. */
  isClockWrong = false;
  /** The workers that the fault uses: nothing else may replace them. */
  readonly #claimed: Set<Member> = new Set();
  readonly #spawn: (index: number, version: Version) => Member;
  readonly #harm: (harm: Harm, name: string) => Promise<Struck>;

  constructor(it: {
    readonly kind: StoreKind;
    readonly store: TortureStore;
    readonly mode: Mode;
    readonly ttl: number;
    readonly names: readonly string[];
    readonly chance: () => number;
    readonly spawn: (index: number, version: Version) => Member;
    readonly harm: (harm: Harm, name: string) => Promise<Struck>;
  }) {
    this.kind = it.kind;
    this.store = it.store;
    this.mode = it.mode;
    this.ttl = it.ttl;
    this.names = it.names;
    this.chance = it.chance;
    this.#spawn = it.spawn;
    this.#harm = it.harm;
  }

  now(): number {
    return hostTime();
  }

  note(text: string): number {
    const t = this.now();
    this.notes.push({ t, text });
    return t;
  }

  /**
   * Notes that from now on calls to the store may fail, those of one worker or of all. The returned function
   * ends that, `later` ms after it is called.
   */
  trouble(member?: Member): (later?: number) => void {
    const trouble: Trouble = { ...(member && { member }), from: this.now(), to: Infinity };
    this.troubles.push(trouble);
    return (later = 0) => {
      trouble.to = this.now() + later;
    };
  }

  /** Starts one more worker, of the version of the last one by default. Resolves once it is ready. */
  async enlist(version: Version = this.members.at(-1)?.version ?? "current"): Promise<Member> {
    const member = this.#spawn(this.members.length, version);
    this.members.push(member);
    await this.until(() => member.all("ready").length > 0, `worker ${member.index} is ready`);
    member.order({ order: "go" });
    return member;
  }

  get living(): Member[] {
    return this.members.filter((member) => !member.over && member.killedAt === undefined);
  }

  /** Picks a worker for the fault, one that is not `other`. It is not replaced until the fault lets it go. */
  async claim(other?: Member): Promise<Member> {
    const able = (): Member[] => this.members.filter((member) => member.isAtWork && member !== other);
    await this.until(() => able().length > 0, "there is a worker to strike");
    const member = this.pick(able());
    this.#claimed.add(member);
    return member;
  }

  /** The fault no longer needs this worker, or any worker. */
  letGo(member?: Member): void {
    if (member === undefined) this.#claimed.clear();
    else this.#claimed.delete(member);
  }

  isClaimed(member: Member): boolean {
    return this.#claimed.has(member);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.chance() * items.length)];
    if (item === undefined) throw new Error("there is nothing to pick from");
    return item;
  }

  between(low: number, high: number): number {
    return low + this.chance() * (high - low);
  }

  refresh(): void {
    for (const member of this.members) member.refresh();
  }

  /**
   * Waits until `condition` holds of the journals. Throws {@link NotSo} after `most` ms, or if a worker ended
   * by itself. Time in which this process did not run does not count.
   */
  async until(condition: () => boolean, what: string, most: number = PATIENCE): Promise<void> {
    let waited = 0;
    for (let last = this.now(); ; ) {
      this.refresh();
      if (condition()) return;
      const dead = this.members.find(({ over, killedAt }) => over && killedAt === undefined);
      if (dead !== undefined && dead.all("closed").length === 0) {
        throw new NotSo(`worker ${dead.index} ended by itself:\n${dead.stderr}`);
      }
      const now = this.now();
      waited += Math.min(now - last, LOOK);
      last = now;
      if (waited > most) throw new NotSo(`still not so after ${most} ms: ${what}`);
      await this.sleep(5);
    }
  }

  async sleep(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /**
   * Claims a worker and makes it hold a lock for `ms`; a body that obeys ends earlier when its signal fires.
   * Resolves once the worker holds it.
   */
  async hold(ms: number, { block = false }: { readonly block?: boolean } = {}): Promise<HeldBody> {
    const by = await this.claim();
    const before = by.all("enter").filter(({ held }) => held).length;
    const held = (): EventOf<"enter"> | undefined => by.all("enter").filter((run) => run.held)[before];
    by.order({ order: "hold", ms, obeys: this.chance() < 0.7, block });
    await this.until(() => held() !== undefined, `worker ${by.index} holds a lock`);
    const run = held();
    if (run === undefined) throw new Error("a run was there and is not");
    return { member: by, run };
  }

  /**
   * Does something forbidden to the entries of a lock, or of its holder. Resolves to whether it found
   * something to harm.
   */
  async harm(harm: Harm, name: string): Promise<boolean> {
    const from = this.note(`${harm} of ${name}`);
    const { fence, session } = await this.#harm(harm, name);
    const to = this.note(`${harm} of ${name} done: ${fence ?? session ?? "no holder"}`);
    // Without its session, a holder loses all its locks.
    if (session !== undefined) this.excuses.push({ session, from, to });
    if (fence !== undefined) this.excuses.push({ name, fence, from, to });
    return (fence ?? session) !== undefined;
  }
}
