import { compareVersions } from "@ojm/core";
import type { StoredChange } from "@ojm/core/backend";
import { decodeKey } from "../../../../core/src/channel/encoding/key.js";
import type { MemberValue, QueueValue, StoredItem, TakenItem } from "../../store/entries.js";

const QUEUES = "oJobManager-queues ";
const LOCKS = "oJobManager-locks ";
const EFFECTS = "effects ";

/** An item as the store has it. */
interface Seen {
  /** Its keys, by the state. More than one is a fault. */
  readonly at: Map<string, StoredItem>;
  /** How often the commit that ends it wrote its effect. */
  effects: number;
  ended: "done" | "gone" | undefined;
  attempt: number;
  /** Whether it has ever ended: a dead letter may be retried. */
  hasEnded?: true;
  /** Its place in line, if it has waited there since it was added. */
  line: Line | undefined;
}

/** The place of an item of a group that no worker has taken yet. */
interface Line {
  readonly group: string;
  readonly rank: number;
  readonly key: string;
  /** How many items of its group were ahead when it was added. */
  readonly ahead: number;
  /** How many items of each other group were ahead then, or have come ahead since then. */
  readonly before: Map<string, number>;
}

/**
 * Sees every commit that the store applies, and judges by the content of the store:
 *
 * - An item is in one state, and once it has ended it never comes back.
 * - It is taken by the commit that takes its lock, and never while its queue is paused.
 * - It leaves the worker in the commit that releases the lock, or when its lock is gone.
 * - The writes of its handler are in the commit that ends it, and in no other.
 * - Its attempts count up, or begin again when a person retries it. One that was given back does not count.
 * - No two living items have the same unique key.
 * - A batch has each of its items once, and its callback is added once, after all of them have ended.
 * - An attempt begins with the newest data of its item, and no item ends without an attempt for that.
 * - Groups are served in turn: for each item ahead in its own group, an item has one of each other one ahead.
 */
export class Witness {
  readonly items: Map<string, Seen> = new Map();
  /** Items that may disappear without an end: a person removed them, or their time was over. */
  readonly removed: Set<string> = new Set();
  /** Items that a repeated call may have added a second time. */
  readonly tainted: Set<string> = new Set();
  readonly #locks: Map<string, string> = new Map();
  readonly #unique: Map<string, string> = new Map();
  /** The number of items of each batch, as its producer wants it. */
  readonly batches: Map<string, number> = new Map();
  /** The items of each batch. */
  readonly #members: Map<string, Set<string>> = new Map();
  /** The callback of each batch. */
  readonly callbacks: Map<string, string> = new Map();
  /**
   * The attempts that count: after them, the item had ended, or waited for another one of a higher number.
   * Each with its item: without records, the runs of two items may have one id.
   */
  readonly #counted: Set<string> = new Set();
  /** All data that an item had, or was to have after its attempt. */
  readonly written: Set<unknown> = new Set();
  readonly #inTurn: boolean;
  /** How many items each worker may have at once. A dead one stays until another one removes it. */
  readonly #slots: Map<string, number> = new Map();
  /** The most slots at once: workers leave this many items to each other, and may take others before them. */
  #spread = 0;
  #isPaused = false;
  #version = "0";
  #commit: StoredChange[] = [];

  /** `inTurn`: whether groups must be served in turn. */
  constructor(inTurn: boolean) {
    this.#inTurn = inTurn;
  }

  /** Call it with each change that the store applied. */
  applied(change: StoredChange): void {
    if (compareVersions(change.version, this.#version) !== 0) this.flush();
    this.#version = change.version;
    this.#commit.push(change);
  }

  /** Judges the last commit: all its changes have come. */
  flush(): void {
    const commit = this.#commit;
    this.#commit = [];
    if (commit.length === 0) return;
    const changed = new Map<string, StoredItem | undefined>();
    const effects = new Set<string>();
    let isTaken = false;
    for (const { key, value, version } of commit) {
      if (key.startsWith(LOCKS)) this.#lock(decodeKey(key.slice(LOCKS.length)), value, version);
      if (key.startsWith(EFFECTS)) effects.add(String(decodeKey(key.slice(EFFECTS.length))));
      if (!key.startsWith(QUEUES)) continue;
      const [kind, , ...parts] = decodeKey(key.slice(QUEUES.length)) as readonly unknown[];
      if (kind === "def") this.#isPaused = value !== null && (JSON.parse(value) as QueueValue).pause !== undefined;
      if (kind === "m") this.#worker(String(parts[0]), value);
      if (!["w", "due", "t", "dead"].includes(String(kind))) continue;
      const id = String(parts.at(-1));
      const seen = this.items.get(id) ?? { at: new Map(), effects: 0, ended: undefined, attempt: 0, line: undefined };
      const isNew = !this.items.has(id);
      this.items.set(id, seen);
      if (!changed.has(id)) changed.set(id, [...seen.at.values()][0]);
      const isNext = seen.at.has(key);
      if (value === null) seen.at.delete(key);
      else seen.at.set(key, JSON.parse(value));
      if (kind === "w" && isNew && value !== null) seen.line = this.#enter(key, Number(parts[0]), JSON.parse(value));
      else if (value === null || seen.line?.key !== key) seen.line = undefined;
      // Newer data is written to an item that is taken, whether its worker lives or not.
      if (kind === "t" && value !== null && !isNext) {
        isTaken = true;
        if (this.#locks.get(id) !== version) throw new Error(`${id} is taken without its lock`);
      }
      if (kind === "t" && value === null && this.#locks.has(id)) throw new Error(`${id} leaves while its lock is held`);
    }
    if (isTaken && this.#isPaused) throw new Error("an item is taken although its queue is paused");
    for (const id of new Set([...changed.keys(), ...effects])) this.#judge(id, effects.has(id), changed.get(id));
    for (const [id, before] of changed) {
      this.#judgeData(id, before);
      this.#noteAttempt(id, before);
    }
    for (const id of changed.keys()) this.#judgeBatch(id);
  }

  /** Call it once a handler was answered that its item is given back. */
  givenBack(id: string, run: string): void {
    this.flush();
    if (this.#counted.has(`${id} ${run}`) && !this.tainted.has(id) && !this.removed.has(id))
      throw new Error(`the attempt ${run} of ${id} counts although it was given back`);
  }

  #noteAttempt(id: string, before: StoredItem | undefined): void {
    if (before === undefined || !("run" in before)) return;
    const [[key = "", after] = []] = this.items.get(id)?.at ?? [];
    if (after !== undefined && "run" in after) return;
    const waits = after !== undefined && !key.startsWith(`${QUEUES}["dead `);
    if (!waits || after.attempt > before.attempt) this.#counted.add(`${id} ${(before as TakenItem).run}`);
  }

  #judgeBatch(id: string): void {
    const seen = this.items.get(id);
    const [[key = "", item] = []] = seen?.at ?? [];
    if (seen !== undefined && (item === undefined || key.startsWith(`${QUEUES}["dead `))) seen.hasEnded = true;
    const { batch, meta } = item ?? {};
    if (batch !== undefined) this.#members.set(batch, (this.#members.get(batch) ?? new Set()).add(id));
    const ended = meta?.["batch"];
    if (typeof ended !== "string") return;
    const members = [...(this.#members.get(ended) ?? [])];
    if ((this.callbacks.get(ended) ?? id) !== id) throw new Error(`the batch ${ended} has two callbacks`);
    if (!this.callbacks.has(ended) && members.length !== this.batches.get(ended))
      throw new Error(`the batch ${ended} ends with ${members.length} items, not ${this.batches.get(ended)}`);
    const early = members.find((member) => this.items.get(member)?.hasEnded === undefined);
    if (early !== undefined && !this.callbacks.has(ended)) throw new Error(`the batch ${ended} ends before ${early}`);
    this.callbacks.set(ended, id);
  }

  #judgeData(id: string, before: StoredItem | undefined): void {
    const [after] = this.items.get(id)?.at.values() ?? [];
    if (after !== undefined) this.written.add(newestOf(after));
    if (before === undefined || this.tainted.has(id) || this.removed.has(id)) return;
    const isReplaced = after !== undefined && "run" in before === "run" in after;
    if (isReplaced || newestOf(before) === (after ?? before).data) return;
    throw new Error(
      `the newest data of ${id} is lost: ${after === undefined ? "it has ended" : JSON.stringify(after)}`,
    );
  }

  #lock(key: unknown, value: string | null, version: string): void {
    const [kind, name, more] = key as readonly unknown[];
    const id = /^queue\/q\/(.*)$/.exec(String(name))?.[1];
    if (kind !== "lock" || id === undefined || more !== undefined) return;
    if (value === null) this.#locks.delete(id);
    else this.#locks.set(id, version);
  }

  #worker(id: string, value: string | null): void {
    if (value === null) this.#slots.delete(id);
    else this.#slots.set(id, (JSON.parse(value) as MemberValue).concurrency);
    let slots = 0;
    for (const concurrency of this.#slots.values()) slots += concurrency;
    this.#spread = Math.max(this.#spread, slots);
  }

  /** An item gets its place in line. */
  #enter(key: string, rank: number, { group }: StoredItem): Line | undefined {
    if (group === undefined) return undefined;
    const line = [...this.items.values()].flatMap(({ line }) => (line?.rank === rank ? [line] : []));
    const before = new Map<string, number>();
    let ahead = 0;
    for (const other of line) {
      if (other.key > key && other.group !== group) {
        const passed = (other.before.get(group) ?? 0) + 1;
        other.before.set(group, passed);
        this.#assertInTurn(other, group, passed);
      } else if (other.key < key && other.group === group) ahead++;
      else if (other.key < key) before.set(other.group, (before.get(other.group) ?? 0) + 1);
    }
    const own = { group, rank, key, ahead, before };
    for (const [other, items] of before) this.#assertInTurn(own, other, items);
    return own;
  }

  #assertInTurn({ group, ahead, key }: Line, other: string, items: number): void {
    if (!this.#inTurn || items <= ahead + 1 + this.#spread) return;
    throw new Error(`${key} of the group ${group} has ${ahead} of its group ahead, and ${items} of the group ${other}`);
  }

  #judge(id: string, hasEffect: boolean, before: StoredItem | undefined): void {
    const seen = this.items.get(id);
    if (seen === undefined || this.tainted.has(id)) return;
    if (seen.at.size > 1) throw new Error(`${id} is in two states: ${[...seen.at.keys()].join(", ")}`);
    const [item] = seen.at.values();
    if (seen.ended !== undefined && (item !== undefined || hasEffect)) throw new Error(`${id} has ended twice`);
    const hasNext = before !== undefined && "next" in before;
    if (hasEffect && item !== undefined && !hasNext)
      throw new Error(`the effect of ${id} is written, and it has not ended`);
    const key = this.#unique;
    if (item === undefined) {
      const isOver = this.removed.has(id);
      if (!hasEffect && !isOver) throw new Error(`${id} has disappeared`);
      seen.ended = hasEffect ? "done" : "gone";
      for (const [unique, owner] of key) if (owner === id) key.delete(unique);
      return;
    }
    // Wall clocks are wrong by any time: an item may be over as soon as it is there.
    if (item.expires !== undefined) this.removed.add(id);
    const isDead = [...seen.at.keys()].some((stored) => stored.startsWith(`${QUEUES}["dead `));
    const unique = item.unique?.until === "done" ? item.unique.key : undefined;
    if (isDead && unique !== undefined && key.get(unique) === id) key.delete(unique);
    if (!isDead && unique !== undefined) {
      const owner = key.get(unique) ?? id;
      if (owner !== id && !this.tainted.has(owner)) throw new Error(`${id} and ${owner} have the key ${unique}`);
      key.set(unique, id);
    }
    if (item.attempt < seen.attempt && item.attempt !== 1) throw new Error(`the attempts of ${id} go back`);
    seen.attempt = item.attempt;
  }
}

/** The data that the next attempt of an item must have. */
function newestOf(item: StoredItem): unknown {
  return ((item as Partial<TakenItem>).next ?? item).data;
}
