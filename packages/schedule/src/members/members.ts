import type { Key } from "@ojm/core";
import type { Followed } from "../store/follow.js";
import type { SchedulesValue } from "../store/schema.js";
import { isMember, isMemberPart } from "../store/valid.js";
import { rankOf } from "./rendezvous.js";

/** What is known of a member: whether it lives, and what each part of its list has. */
interface Member {
  lives: boolean;
  readonly parts: Map<number, ReadonlyMap<string, string>>;
}

/** The living schedulers, as the store shows them, and which schedules each can run. */
export class Members implements Followed<SchedulesValue> {
  readonly #self: string;
  readonly #onChange: () => void;
  readonly #members: Map<string, Member> = new Map();

  /** `onChange`: somebody came or left, or can run other schedules than before. */
  constructor(self: string, onChange: () => void) {
    this.#self = self;
    this.#onChange = onChange;
  }

  /** The place of this process among all that can run this definition. */
  rank(name: string, hash: string): number {
    return rankOf(name, this.#self, this.with(name, hash));
  }

  /** The other members that can run this definition of a schedule. */
  *with(name: string, hash: string): Generator<string, void, undefined> {
    for (const [instance, { lives, parts }] of this.#members) {
      if (!lives || instance === this.#self) continue;
      for (const part of parts.values()) {
        if (part.get(name) !== hash) continue;
        yield instance;
        break;
      }
    }
  }

  /** Whether another member can run this definition. */
  hasOther(name: string, hash: string): boolean {
    return this.with(name, hash).next().done !== true;
  }

  /** Whether any other member knows a schedule, by whatever definition. */
  get others(): number {
    let count = 0;
    for (const [instance, { lives }] of this.#members) if (lives && instance !== this.#self) count++;
    return count;
  }

  put(key: Key, value: SchedulesValue): void {
    const [, instance, part] = key as readonly (string | number)[];
    if (typeof instance !== "string" || instance === this.#self) return;
    const member = this.#members.get(instance) ?? { lives: false, parts: new Map() };
    if (part === undefined && isMember(value)) {
      // Most of these are renewals, which change nothing.
      if (member.lives) return;
      member.lives = true;
    } else if (typeof part === "number" && isMemberPart(value)) {
      member.parts.set(part, new Map(value.schedules));
    } else return;
    this.#members.set(instance, member);
    this.#onChange();
  }

  gone(key: Key): void {
    const [, instance, part] = key as readonly (string | number)[];
    const member = this.#members.get(String(instance));
    if (member === undefined) return;
    if (part === undefined) member.lives = false;
    else member.parts.delete(Number(part));
    if (!member.lives && member.parts.size === 0) this.#members.delete(String(instance));
    this.#onChange();
  }

  synced(): void {
    this.#onChange();
  }
}
