import type { Commit, StoredChange, StoredEntry } from "../../channel/backend/backend.js";
import { compareVersions } from "../../channel/encoding/version.js";
import type { Run } from "../../jobs/types.js";
import type { FakeClock } from "../fake-clock.js";
import type { SharedStore } from "../stores/shared-store.js";
import { isCall, isLock, isLocking, isSession } from "./entry-kinds.js";
import type { FakeProcess } from "./process.js";

/** How late the signal of a run may be, in ms. */
const LATE = 50;

/** A body that runs. */
export interface Entered {
  readonly name: string;
  readonly process: FakeProcess;
  readonly run: Run;
}

interface Inside extends Entered {
  /** How often its process had been stopped when it began. */
  readonly stops: number;
  /** Somebody unlocked it by force: until it finds out, two may run. */
  unlocked: boolean;
  /** The one that its own process began while it ran, and of which it is told first. */
  unlockedHere?: object;
}

interface Held {
  readonly session: string;
  /** When it runs out of its time. */
  readonly until: number;
}

/**
 * What must hold at every moment, judged by what the bodies are told and by what is in the store. Nothing
 * here asks the code that is judged: to ask a run whether it is held ends one whose end was missed.
 */
export class Laws {
  readonly #clock: FakeClock;
  readonly #ttl: number;
  readonly #judgesSignals: boolean;
  readonly #inside: Set<Inside> = new Set();
  readonly #lastFence: Map<string, string> = new Map();
  /** By whom which names are being unlocked by force. */
  readonly #unlocking: Set<{ readonly name: string; readonly by: FakeProcess }> = new Set();
  /** The locks that were taken, by their fences. */
  readonly #held: Map<string, Held> = new Map();
  /** When each renewal was first sent, and until when each session lives by the last one that was applied. */
  readonly #sent: Map<string, number> = new Map();
  readonly #lives: Map<string, number> = new Map();
  /**
   * What the store has forgotten: all before `version`. Whoever held it may not know until its session is
   * over by its own clock.
   */
  #forgotten = { version: "0", until: 0 };

  /** With `late`, signals may be late. */
  constructor(clock: FakeClock, ttl: number, late: boolean) {
    this.#judgesSignals = !late;
    this.#clock = clock;
    this.#ttl = ttl;
  }

  /** A process sends this to the store. */
  sent({ writes }: Commit): void {
    for (const { key, value } of writes) {
      if (!isSession(key) || value === null) continue;
      const renewal = `${key} ${JSON.parse(value).beat}`;
      if (!this.#sent.has(renewal)) this.#sent.set(renewal, this.#clock.monotonic());
    }
  }

  /** The store has applied this. */
  applied({ key, value, version }: StoredChange): void {
    if (value === null) return;
    if (isLock(key)) {
      const { holder, until } = JSON.parse(value);
      this.#held.set(version, { session: holder.instance, until });
    } else if (isSession(key)) {
      const { id, beat } = JSON.parse(value);
      const sent = this.#sent.get(`${key} ${beat}`) ?? this.#clock.monotonic();
      this.#lives.set(id, Math.max(this.#lives.get(id) ?? 0, sent + this.#ttl));
    }
  }

  forgotten(version: string): void {
    this.#forgotten = { version, until: this.#clock.monotonic() + this.#ttl };
  }

  enter(entered: Entered): void {
    const { name, run, process } = entered;
    const inside: Inside = { ...entered, stops: process.stops, unlocked: false };
    this.#inside.add(inside);
    this.check();
    const last = this.#lastFence.get(name) ?? "0";
    if (compareVersions(run.fence, last) > 0) this.#lastFence.set(name, run.fence);
    // One that was robbed before it had heard of its grant cannot know that others came after it.
    else if (!inside.unlocked && !this.#mayNotKnow(run))
      throw new Error(`${name} runs with ${run.fence} after ${last}`);
  }

  leave(run: Run): void {
    for (const inside of this.#inside) if (inside.run === run) this.#inside.delete(inside);
  }

  died(process: FakeProcess): void {
    for (const inside of this.#inside) if (inside.process === process) this.#inside.delete(inside);
  }

  unlocking(name: string, by: FakeProcess): () => void {
    const unlocking = { name, by };
    this.#unlocking.add(unlocking);
    for (const inside of this.#inside)
      if (inside.name === name && inside.process === by) inside.unlockedHere = unlocking;
    return () => void this.#unlocking.delete(unlocking);
  }

  check(): void {
    const holders = new Map<string, Inside>();
    for (const inside of this.#inside) {
      const { name, process, run, stops } = inside;
      // Two may run from the moment at which the entry is gone, of which nobody but the store knows: whoever
      // is inside may be the one.
      for (const it of this.#unlocking) if (it.name === name && it !== inside.unlockedHere) inside.unlocked = true;
      // A process that goes on cannot tell all at once. What it begins before it has is judged: it must look
      // at the clock first.
      if (run.signal.aborted || !(process.running || (process.waking && stops === process.stops))) continue;
      if (this.#judgesSignals) this.#checkSignal(inside);
      const other = holders.get(name);
      holders.set(name, other === undefined ? inside : this.#newerOf(inside, other));
    }
  }

  /** Two hold a name: by right only if the older one was robbed, and cannot know yet. */
  #newerOf(one: Inside, two: Inside): Inside {
    const [older, newer] = compareVersions(one.run.fence, two.run.fence) < 0 ? [one, two] : [two, one];
    if (older.unlocked || this.#mayNotKnow(older.run)) return newer;
    throw new Error(`two hold ${one.name}: ${older.run.fence} and ${newer.run.fence}`);
  }

  #mayNotKnow({ fence }: Run): boolean {
    return compareVersions(fence, this.#forgotten.version) < 0 && this.#clock.monotonic() <= this.#forgotten.until;
  }

  /** The signal of one that runs has not fired: its lease is not over for longer than it takes to tell. */
  #checkSignal({ name, process, run }: Inside): void {
    const held = this.#held.get(run.fence);
    if (held === undefined) throw new Error(`${name} runs with ${run.fence}, with which nobody took it`);
    const over = Math.min(held.until, this.#lives.get(held.session) ?? 0);
    const late = this.#clock.monotonic() - (process.waking ? over : Math.max(over, process.since));
    if (late <= LATE) return;
    throw new Error(`the signal of ${name} with ${run.fence} is late: its lease was over ${Math.round(late)} ms ago`);
  }
}

/** What a lock, a queue or a call names: the sessions without which it would be dead. */
function sessionsOf({ key, value }: StoredEntry): string[] {
  const { holder, waiting = [], session } = JSON.parse(value);
  if (isLock(key)) return [holder.instance];
  return session === undefined ? waiting.map((ticket: { readonly session: string }) => ticket.session) : [session];
}

/**
 * Nothing that dead sessions left is in the store, though nobody wants any of it: to be asked where somebody
 * sweeps.
 */
export async function checkNothingDead({ memory }: SharedStore): Promise<void> {
  const { entries } = await memory.scan({ from: "", to: "\uFFFF", reverse: false, limit: 1_000_000, values: true });
  const living = new Set(entries.filter(({ key }) => isSession(key)).map(({ value }) => JSON.parse(value).id));
  for (const entry of entries) {
    if (!isLocking(entry.key) && !isCall(entry.key)) continue;
    const sessions = sessionsOf(entry);
    if (sessions.every((session) => !living.has(session))) throw new Error(`${entry.key} is left of ${sessions}`);
  }
}
