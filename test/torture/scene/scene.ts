import type { StoreKind, TortureStore } from "../stores/store.js";
import type { Struck } from "../traffic/harm.js";
import type { Harm, Mode } from "./events.js";
import { LagWatch } from "./lag-watch.js";
import type { EventOf, Member } from "./member.js";
import { hostTime } from "./time.js";

/** How long anything may take that must happen, in ms. Only a cell that fails waits for so long. */
export const PATIENCE = 60_000;

/**
 * As much as one look at the workers may take, in ms. What is beyond it, this process stood still, and could
 * not see what others did in time.
 */
const LOOK = 100;

/** That the store was told that a lock is free, and its holder cannot know yet: two may run until it does. */
export interface Excuse {
  /** Of all names, if none is given. */
  readonly name?: string;
  /** Whose lock it was, where that is known: of the run with this fence, or of all runs of this session. */
  readonly fence?: string;
  readonly session?: string;
  readonly from: number;
  /** Who asked for its lock until then is excused. */
  readonly to: number;
  /** Whether somebody who knew better did it, and not a fault. */
  readonly byForce?: true;
  /**
   * Whether it may have been no more than the closing of the run's record: that comes first, and the lock may
   * be given back in between.
   */
  readonly recordOnly?: true;
  /**
   * Whether it was only told, by a node that leads no more and acknowledges nothing: nobody else can have the
   * lock.
   */
  readonly newsOnly?: true;
}

/** A stretch of time in which calls to the store may fail or hang: those of one worker, or of all. */
export interface Trouble {
  readonly member?: Member;
  readonly from: number;
  to: number;
}

/** What the workers should have come to did not come. */
export class NotSo extends Error {}

/** A body that was told to go on for a while, so that a fault hits a holder. */
export interface HeldBody {
  readonly member: Member;
  readonly run: EventOf<"enter">;
}

/** A cell while it runs: its store, its workers, and what was done to them. */
export class Scene {
  readonly kind: StoreKind;
  readonly store: TortureStore;
  readonly mode: Mode;
  readonly ttl: number;
  readonly names: readonly string[];
  readonly chance: () => number;
  readonly members: Member[] = [];
  /** What this process stood still for: what passes through its proxies did too. */
  readonly lags: LagWatch = new LagWatch();
  readonly notes: { readonly t: number; readonly text: string }[] = [];
  readonly excuses: Excuse[] = [];
  readonly troubles: Trouble[] = [];
  /** From when to when the store lost all that was in it, and was not there. */
  dataLost: { readonly from: number; readonly to: number } | undefined;
  /**
   * From when to when a master of the records answered that had been replaced: what it took is gone with it.
   */
  staleRecords: { readonly from: number; readonly to: number } | undefined;
  /**
   * From when to when a master took locks that were lost with it, for somebody who did not reach the records:
   * what was written there may arrive when nothing leads to it any more.
   */
  strayRecords: { readonly from: number; readonly to: number } | undefined;
  readonly #spawn: (index: number) => Member;
  readonly #harm: (harm: Harm, name: string) => Promise<Struck>;

  constructor(it: {
    readonly kind: StoreKind;
    readonly store: TortureStore;
    readonly mode: Mode;
    readonly ttl: number;
    readonly names: readonly string[];
    readonly chance: () => number;
    readonly spawn: (index: number) => Member;
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
   * From now on calls to the store may fail, those of one worker or of all; until what is returned is called,
   * or so many ms after that.
   */
  trouble(member?: Member): (later?: number) => void {
    const trouble: Trouble = { ...(member && { member }), from: this.now(), to: Infinity };
    this.troubles.push(trouble);
    return (later = 0) => {
      trouble.to = this.now() + later;
    };
  }

  /** Starts one more worker. */
  async enlist(): Promise<Member> {
    const member = this.#spawn(this.members.length);
    this.members.push(member);
    await this.until(() => member.all("ready").length > 0, `worker ${member.index} is ready`);
    member.order({ order: "go" });
    return member;
  }

  get living(): Member[] {
    return this.members.filter((member) => !member.over && member.killedAt === undefined);
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
   * Waits until `condition` holds of what the workers wrote down. `most` does not count while this process
   * itself comes to nothing.
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
   * Makes some worker, or that one, hold a lock for `ms`, or until it is told to stop if it obeys. Resolves
   * when it holds it.
   */
  async hold(
    ms: number,
    { by = this.pick(this.living), block = false }: { readonly by?: Member; readonly block?: boolean } = {},
  ): Promise<HeldBody> {
    const before = by.all("enter").filter(({ held }) => held).length;
    const held = (): EventOf<"enter"> | undefined => by.all("enter").filter((run) => run.held)[before];
    by.order({ order: "hold", ms, obeys: this.chance() < 0.7, block });
    await this.until(() => held() !== undefined, `worker ${by.index} holds a lock`);
    const run = held();
    if (run === undefined) throw new Error("a run was there and is not");
    return { member: by, run };
  }

  /**
   * Does something to the entries of a lock, or of its holder, that nobody may. Resolves to whether there was
   * something to do it to.
   */
  async harm(harm: Harm, name: string): Promise<boolean> {
    const from = this.note(`${harm} of ${name}`);
    const { fence, session } = await this.#harm(harm, name);
    const to = this.note(`${harm} of ${name} done: ${fence ?? session ?? "nobody held it"}`);
    // Without its session, a holder loses all its locks.
    if (session !== undefined) this.excuses.push({ session, from, to });
    if (fence !== undefined) this.excuses.push({ name, fence, from, to });
    return (fence ?? session) !== undefined;
  }
}
