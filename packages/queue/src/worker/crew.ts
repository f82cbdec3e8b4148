import type { Key, Version } from "@ojm/core";
import { type Followed, hash32, mixed32 } from "@ojm/core/internal";
import { isMember, isTaken, type MemberValue, type QueuesValue, type TakenItem } from "../store/entries.js";

/** How many workers, the first ones by rank, follow the items even if they have nothing to do. */
export const WATCHFUL = 4;

/** The hash of what one worker must do for all. */
const ALL = hash32("");

/** An item that some worker has, and the version of its entry. */
export interface TakenEntry {
  readonly id: string;
  readonly value: TakenItem;
  readonly version: Version;
}

/** A worker as its entry says. */
export interface Member {
  readonly id: string;
  readonly value: MemberValue;
  readonly version: Version | undefined;
  readonly hash: number;
}

/** The workers of a queue, and the items that they have, as the store says. */
export class Crew {
  readonly #self: string;
  readonly #members: Map<string, Member> = new Map();
  readonly taken: Map<string, TakenEntry> = new Map();
  /** How many items each member has, and each group. */
  readonly #busy: Map<string, number> = new Map();
  readonly #groups: Map<string, number> = new Map();
  readonly #rounds: Map<number, number> = new Map();

  constructor(self: string, value: MemberValue) {
    this.#self = self;
    this.#members.set(self, { id: self, value, version: undefined, hash: hash32(self) });
  }

  /** The number of workers. */
  get size(): number {
    return this.#members.size;
  }

  /** Follows the members. */
  members(changed: () => void): Followed<QueuesValue> {
    return {
      put: (key, value, version) => {
        if (isMember(value) && this.saw(lastOf(key), value, version)) changed();
      },
      gone: (key) => {
        const id = lastOf(key);
        if (id === this.#self) this.called(this.own);
        else if (!this.#members.delete(id)) return;
        changed();
      },
      synced: changed,
    };
  }

  /** The store has this entry of a worker. Returns whether that is news. */
  saw(id: string, value: MemberValue, version: Version): boolean {
    const known = this.#members.get(id);
    if ((known?.version ?? "") > version) return false;
    this.#members.set(id, { id, value, version, hash: hash32(id) });
    return known?.value.concurrency !== value.concurrency || known.value.idle !== value.idle;
  }

  /** The entry of this worker. */
  get own(): Member {
    return this.#members.get(this.#self) as Member;
  }

  /** The other workers that follow the items, and those that do not, each in the order of their ranks. */
  others(kind: "watchful" | "idle"): Member[] {
    const all = [...this.#members.values()].filter(
      ({ id, value }) => id !== this.#self && (value.idle === true) === (kind === "idle"),
    );
    return all.sort((a, b) => (this.#isBefore(ALL, a.id, b.id) ? -1 : 1));
  }

  /** Whether any worker does not follow the items. */
  get hasIdle(): boolean {
    for (const { value } of this.#members.values()) if (value.idle === true) return true;
    return false;
  }

  /** A worker is to follow the items. */
  called({ id, value: { idle: _, ...value }, ...member }: Member): MemberValue {
    this.#members.set(id, { ...member, id, value });
    return value;
  }

  /** Forgets which items are taken: this worker no longer follows them. */
  reset(): void {
    for (const known of [this.taken, this.#busy, this.#groups]) known.clear();
  }

  /** Whether this worker has an item. */
  get isBusy(): boolean {
    return this.#busy.has(this.#self);
  }

  /** Follows the items that are taken. */
  items(changed: (id: string) => void): Followed<QueuesValue> {
    return {
      put: (key, value, version) => {
        const id = lastOf(key);
        this.#forget(id);
        if (isTaken(value)) this.#remember({ id, value, version });
        changed(id);
      },
      gone: (key) => {
        this.#forget(lastOf(key));
        changed(lastOf(key));
      },
      synced: () => {},
    };
  }

  #remember(entry: TakenEntry): void {
    const { group, rank, turn } = entry.value;
    this.taken.set(entry.id, entry);
    this.#count(entry.value, 1);
    if (group !== undefined) this.sawRound(rank, turn + 1);
  }

  #forget(id: string): void {
    const entry = this.taken.get(id);
    if (entry === undefined) return;
    this.taken.delete(id);
    this.#count(entry.value, -1);
  }

  #count({ member, group }: TakenItem, by: number): void {
    add(this.#busy, member, by);
    if (group !== undefined) add(this.#groups, group, by);
  }

  /** The items of groups with this rank are in this round, or a later one. */
  sawRound(rank: number, round: number): void {
    this.#rounds.set(rank, Math.max(this.roundOf(rank), round));
  }

  /** The round of the next items of groups, as far as this worker has seen. */
  roundOf(rank: number): number {
    return this.#rounds.get(rank) ?? 0;
  }

  /** How many items of a group are taken. */
  inGroup(group: string): number {
    return this.#groups.get(group) ?? 0;
  }

  /** The workers that follow the items and have a free slot, and how many. `own`: those of this worker. */
  free(own: number): Map<string, number> {
    const free = new Map<string, number>();
    for (const [id, { value }] of this.#members) {
      const slots = id === this.#self ? own : value.concurrency - (this.#busy.get(id) ?? 0);
      if (slots > 0 && value.idle !== true) free.set(id, slots);
    }
    return free;
  }

  /** Which of these workers is the first for an item: each worker computes the same. */
  firstFor(id: string, members: Iterable<string>): string | undefined {
    const hash = hash32(id);
    let first: string | undefined;
    for (const member of members) if (first === undefined || this.#isBefore(hash, member, first)) first = member;
    return first;
  }

  /** How many of these workers come before this one for an item. */
  rankFor(id: string, members: Iterable<string>): number {
    return this.#rank(hash32(id), members);
  }

  /**
   * The place of this worker among those that follow the items, or among the idle ones. The first one does
   * what one worker must do for all.
   */
  get rank(): number {
    const { idle } = this.own.value;
    return this.#rankAmong(({ value }) => value.idle === idle);
  }

  /** Whether this worker is the first of those of its host whose process is there. */
  isFirstOfHost(isGone: (pid: number) => boolean): boolean {
    const { host } = this.own.value.by;
    return this.#rankAmong(({ value: { by } }) => by.host === host && !isGone(by.pid)) === 0;
  }

  #rankAmong(where: (member: Member) => boolean): number {
    const all = [...this.#members.values()].filter(where);
    return this.#rank(
      ALL,
      all.map(({ id }) => id),
    );
  }

  #rank(hash: number, members: Iterable<string>): number {
    let before = 0;
    for (const member of members) if (member !== this.#self && this.#isBefore(hash, member, this.#self)) before++;
    return before;
  }

  /** Whether a worker comes before another one for an item with this hash. */
  #isBefore(hash: number, one: string, other: string): boolean {
    const [a, b] = [this.#score(hash, one), this.#score(hash, other)];
    return a > b || (a === b && one > other);
  }

  #score(hash: number, member: string): number {
    return mixed32(hash ^ (this.#members.get(member)?.hash ?? 0));
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

const lastOf = (key: Key): string => String((key as readonly unknown[]).at(-1));
