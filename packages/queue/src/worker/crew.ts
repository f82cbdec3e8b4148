import type { Key, Version } from "@ojm/core";
import { type Followed, hash32, mixed32 } from "@ojm/core/internal";
import { isMember, isTaken, type QueuesValue, type TakenItem } from "../store/entries.js";

/** An item that some worker has, and the version of its entry. */
export interface TakenEntry {
  readonly id: string;
  readonly value: TakenItem;
  readonly version: Version;
}

interface Member {
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
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

  constructor(self: string, host: string, concurrency: number) {
    this.#self = self;
    this.#members.set(self, { host, pid: process.pid, concurrency, hash: hash32(self) });
  }

  /** The number of workers. */
  get size(): number {
    return this.#members.size;
  }

  /** Follows the members. */
  members(changed: () => void): Followed<QueuesValue> {
    return {
      put: (key, value) => {
        const id = lastOf(key);
        if (id === this.#self || !isMember(value)) return;
        const { by, concurrency } = value;
        const isNew = this.#members.get(id)?.concurrency !== concurrency;
        this.#members.set(id, { host: by.host, pid: by.pid, concurrency, hash: hash32(id) });
        if (isNew) changed();
      },
      gone: (key) => {
        if (lastOf(key) !== this.#self && this.#members.delete(lastOf(key))) changed();
      },
      synced: changed,
    };
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
    if (group !== undefined) this.#rounds.set(rank, Math.max(this.roundOf(rank), turn + 1));
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

  /** The round after that of the last item of a group, among those that this worker has seen taken. */
  roundOf(rank: number): number {
    return this.#rounds.get(rank) ?? 0;
  }

  /** How many items of a group are taken. */
  inGroup(group: string): number {
    return this.#groups.get(group) ?? 0;
  }

  /** The free slots of each worker that has any. `own`: those of this one. */
  free(own: number): Map<string, number> {
    const free = new Map<string, number>();
    for (const [id, { concurrency }] of this.#members) {
      const slots = id === this.#self ? own : concurrency - (this.#busy.get(id) ?? 0);
      if (slots > 0) free.set(id, slots);
    }
    return free;
  }

  /** Which of these workers is the first for an item: each worker computes the same. */
  firstFor(id: string, members: Iterable<string>): string | undefined {
    const hash = hash32(id);
    let first: string | undefined;
    let highest = -1;
    for (const member of members) {
      const score = this.#score(hash, member);
      if (score <= highest && !(score === highest && member > (first ?? ""))) continue;
      highest = score;
      first = member;
    }
    return first;
  }

  /** How many of these workers come before this one for an item. */
  rankFor(id: string, members: Iterable<string>): number {
    const hash = hash32(id);
    const own = this.#score(hash, this.#self);
    let before = 0;
    for (const member of members) {
      const score = member === this.#self ? -1 : this.#score(hash, member);
      if (score > own || (score === own && member > this.#self)) before++;
    }
    return before;
  }

  /** The place of this worker among all: the first one does what one worker must do for all. */
  get rank(): number {
    return this.rankFor("", this.#members.keys());
  }

  /** Whether this worker is the first of those of its host whose process is there. */
  isFirstOfHost(isGone: (pid: number) => boolean): boolean {
    const host = this.#members.get(this.#self)?.host;
    const all = [...this.#members].filter(([, member]) => member.host === host && !isGone(member.pid));
    return (
      this.rankFor(
        "",
        all.map(([id]) => id),
      ) === 0
    );
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
