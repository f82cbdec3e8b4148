import type { Key } from "@ojm/core";
import { type Followed, hash32 } from "@ojm/core/internal";
import type { SchedulesValue } from "../store/schema.js";
import { isMember, isMemberPart, schedulesOfPart } from "../store/valid.js";

type Part = ReadonlyMap<string, string>;

/** The known state of a member: whether it lives, and the parts of its list. */
interface Member {
  lives: boolean;
  readonly parts: Map<number, Part>;
}

/** The place of this process for a definition of a schedule. */
interface Place {
  readonly hash: string;
  rank: number;
}

const NO_NAMES: Part = new Map();

/** The living schedulers in the store, and the schedules that each can run. */
export class Members implements Followed<SchedulesValue> {
  readonly #self: string;
  readonly #onChange: (names: Iterable<string>) => void;
  readonly #members: Map<string, Member> = new Map();
  /**
   * The place of this process for each schedule. Computing a rank takes one hash per member, so a change of a
   * member only raises or lowers the known rank by 1. That matters because each of fifty processes with a
   * thousand schedules receives the changes of all others.
   */
  readonly #places: Map<string, Place> = new Map();

  /** `onChange`: a member that can run these schedules came or left, or can run other definitions of them. */
  constructor(self: string, onChange: (names: Iterable<string>) => void) {
    this.#self = self;
    this.#onChange = onChange;
  }

  /** The place of this process among all members that can run this definition. */
  rank(name: string, hash: string): number {
    // Alone, a process with ten thousand schedules need not remember ten thousand zeros.
    if (this.#members.size === 0) return 0;
    const known = this.#places.get(name);
    if (known?.hash === hash) return known.rank;
    const rank = rankOf(name, this.#self, this.#with(name, hash));
    this.#places.set(name, { hash, rank });
    return rank;
  }

  /** The other members that can run this definition of a schedule. */
  *#with(name: string, hash: string): Generator<string, void, undefined> {
    for (const [instance, member] of this.#members) if (canRun(member, name, hash)) yield instance;
  }

  /** Whether another member can run this definition. */
  hasOther(name: string, hash: string): boolean {
    return this.#with(name, hash).next().done !== true;
  }

  put(key: Key, value: SchedulesValue): void {
    const [, instance, part] = key as readonly (string | number)[];
    if (typeof instance !== "string" || instance === this.#self) return;
    const member = this.#members.get(instance) ?? { lives: false, parts: new Map<number, Part>() };
    if (part === undefined && isMember(value)) {
      // Most of these are renewals, which change nothing.
      if (member.lives) return;
      this.#change(instance, member, namesOf(member), () => {
        member.lives = true;
      });
    } else if (typeof part === "number" && isMemberPart(value)) {
      const next = new Map(schedulesOfPart(value));
      this.#change(instance, member, changed(member.parts.get(part) ?? NO_NAMES, next), () => {
        member.parts.set(part, next);
      });
    }
  }

  gone(key: Key): void {
    const [, instance, part] = key as readonly (string | number)[];
    const member = this.#members.get(String(instance));
    if (member === undefined) return;
    if (part === undefined) {
      this.#change(String(instance), member, namesOf(member), () => {
        member.lives = false;
      });
    } else {
      this.#change(String(instance), member, new Set(member.parts.get(Number(part))?.keys()), () => {
        member.parts.delete(Number(part));
      });
    }
  }

  synced(): void {}

  /** Changes the known state of a member, and with it the places of this process for `names`. */
  #change(instance: string, member: Member, names: ReadonlySet<string>, change: () => void): void {
    const known = [...names].flatMap((name) => {
      const place = this.#places.get(name);
      return place === undefined ? [] : { name, place, could: canRun(member, name, place.hash) };
    });
    change();
    for (const { name, place, could } of known) {
      const can = canRun(member, name, place.hash);
      if (can !== could && comesBefore(name, instance, this.#self)) place.rank += can ? 1 : -1;
    }
    if (member.lives || member.parts.size > 0) this.#members.set(instance, member);
    else this.#members.delete(instance);
    if (this.#members.size === 0) this.#places.clear();
    this.#onChange(names);
  }
}

function canRun({ lives, parts }: Member, name: string, hash: string): boolean {
  return lives && [...parts.values()].some((part) => part.get(name) === hash);
}

function namesOf({ parts }: Member): ReadonlySet<string> {
  return new Set([...parts.values()].flatMap((part) => [...part.keys()]));
}

/** The names that differ between two lists. */
function changed(before: Part, after: Part): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [name, hash] of before) if (after.get(name) !== hash) names.add(name);
  for (const [name, hash] of after) if (before.get(name) !== hash) names.add(name);
  return names;
}

/**
 * Whether `member` comes before `self` for the schedule `name`. Each member computes the same order, and when
 * one leaves, only its own schedules move to others.
 *
 * Core elects the process that sweeps in another way: by one entry, which its owner renews. Here, that would
 * take an entry for each schedule, and each would have a single owner. But a second member is needed too, to
 * act a moment after a first one that is busy.
 */
function comesBefore(name: string, member: string, self: string): boolean {
  const [score, own] = [hash32(`${name} ${member}`), hash32(`${name} ${self}`)];
  return score > own || (score === own && member > self);
}

/**
 * The number of `members` that come before `self` for the schedule `name`: with 0 it fires the ticks, with 1
 * it fires those that the first does not.
 */
export function rankOf(name: string, self: string, members: Iterable<string>): number {
  let before = 0;
  for (const member of members) if (member !== self && comesBefore(name, member, self)) before++;
  return before;
}
