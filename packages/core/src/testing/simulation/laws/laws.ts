import type { Commit, StoredChange, StoredEntry } from "../../../channel/backend/backend.js";
import { decodeKey } from "../../../channel/encoding/key.js";
import { compareVersions, versionOf } from "../../../channel/encoding/version.js";
import type { Run, RunRecord } from "../../../jobs/types.js";
import type { FakeClock } from "../../fake-clock.js";
import type { SharedStore } from "../../stores/shared-store.js";
import { isCall, isIndexed, isLock, isLocking, isRecord, isSession } from "../entry-kinds.js";
import type { FakeProcess } from "../process.js";
import { CompletedOnce } from "./completed-once.js";
import { PermitLines } from "./permit-lines.js";
import { Rates } from "./rates.js";
import { Retained } from "./retained.js";
import { SessionLives } from "./session-lives.js";
import { StartedOnce } from "./started-once.js";

/** How late the signal of a run may be, in ms. */
const LATE = 50;

/** Whether a body was signalled to end because its process closes. Its lock is held until it ends. */
function isClosing({ signal }: Run): boolean {
  return signal.aborted && (signal.reason as { readonly code?: unknown }).code === "CLOSING";
}

type Permits = NonNullable<RunRecord["permits"]>;

/** A running body. */
export interface Entered {
  readonly lock: string;
  readonly process: FakeProcess;
  readonly run: Run;
}

interface Inside extends Entered {
  /** How often its process had been stopped before it began. */
  readonly stops: number;
  /** Whether a forced unlock took its lock: until it notices, two bodies may run. */
  unlocked: boolean;
  /** The forced unlock that its own process began while it ran. It signals this body before its commit. */
  unlockedHere?: object;
}

interface Held {
  /** The key of the lock. */
  readonly key: string;
  readonly session: string;
  /** When its timeout ends. */
  readonly until: number;
}

/**
 * The laws of every moment, judged by the signals of the bodies and the content of the store, not by the code
 * under test: checking whether a run is held would end a run whose end the code missed.
 */
export class Laws {
  readonly #clock: FakeClock;
  readonly #ttl: number;
  readonly #judgesSignals: boolean;
  readonly #inside: Set<Inside> = new Set();
  readonly #lastFence: Map<string, string> = new Map();
  /** The forced unlocks in progress: the name, and the process. */
  readonly #unlocking: Set<{ readonly name: string; readonly by: FakeProcess }> = new Set();
  /** The names that are held for maintenance, and the earliest end of each hold. */
  readonly #holds: Map<string, number> = new Map();
  /** The locks that were taken, by fence. */
  readonly #held: Map<string, Held> = new Map();
  /** The sessions that each process has written. */
  readonly #sessions: Map<object, Set<string>> = new Map();
  /** The error that {@link check} throws: {@link applied} must not throw, because the store calls it. */
  #takenForDead: string | undefined;
  /** The locks that are in the store, by key. */
  readonly #locked: Map<string, { readonly name: string; readonly session: string; readonly run: unknown }> = new Map();
  /** The permits of the runs, and their limits, by the id of the run. */
  readonly #permits: Map<string, Permits> = new Map();
  readonly #lives: SessionLives;
  /** The store has forgotten all before `version`. A holder may notice only at the end of its session. */
  #forgotten = { version: "0", until: 0 };

  /** The runs that start once in a window. */
  readonly once: StartedOnce;
  /** The keys that are completed once. */
  readonly keys: CompletedOnce = new CompletedOnce();
  readonly #lines: PermitLines = new PermitLines();
  readonly #rates: Rates;
  /** The ids of the runs with a rate. */
  readonly #rated: Set<string> = new Set();
  readonly #retained: Retained = new Retained();
  /** The processes that are closing, and when the grace of their bodies is over. */
  readonly #closing: Map<FakeProcess, number> = new Map();
  /** The runs whose locks a close has freed while their bodies were running. */
  readonly #freedRuns: Run[] = [];

  /** With `late`, signals may be late. */
  constructor(clock: FakeClock, ttl: number, late: boolean) {
    this.#judgesSignals = !late;
    this.#clock = clock;
    this.once = new StartedOnce(clock);
    this.#rates = new Rates(clock);
    this.#ttl = ttl;
    this.#lives = new SessionLives(clock, ttl);
  }

  /** Call it with each commit that a process sends to the store. `sender`: the same for one process. */
  sent(commit: Commit, sender: object): void {
    this.#lives.sent(commit);
    this.#lines.sent(commit);
    this.#rates.sent(commit);
    for (const { key, value } of commit.writes) {
      if (value === null) continue;
      if (isSession(key))
        this.#sessions.set(sender, (this.#sessions.get(sender) ?? new Set()).add(JSON.parse(value).id));
      if (!isRecord(key)) continue;
      const record: RunRecord = JSON.parse(value);
      if (record.status === "lost" && record.error?.startsWith("its process (") === true)
        this.#checkLost(record, sender);
    }
  }

  /** Call it with each commit that the store applied, once its process gets the answer. */
  answered(commit: Commit): void {
    this.#lives.answered(commit);
  }

  /** Call it with each change that the store applied. `isPruned`: whether the retention made a delete. */
  applied(stored: StoredChange, isPruned: boolean): void {
    this.#retained.applied(stored, isPruned);
    // In the form of fences.
    const change = { ...stored, version: versionOf(stored.version) };
    const { key, value, version } = change;
    if (isLock(key) && value === null) this.#freed(key);
    this.#lives.applied(change);
    this.once.applied(change);
    this.keys.applied(change);
    this.#lines.applied(change);
    this.#rates.applied(change);
    if (isRecord(key) && value !== null) {
      const { id, permits, rate }: RunRecord = JSON.parse(value);
      if (rate !== undefined) this.#rated.add(id);
      if (permits !== undefined) this.#permits.set(id, permits);
    }
    if (!isLock(key)) return;
    if (value === null) {
      this.#locked.delete(key);
      return;
    }
    const { name, holder, until, note } = JSON.parse(value);
    const run = note?.of ?? { name, run: note?.run };
    this.#locked.set(key, { ...run, session: holder.instance });
    this.#held.set(version, { session: holder.instance, until, key });
  }

  /** A close must not free a lock whose body is running, before the grace is over. */
  #freed(key: string): void {
    for (const { run, process, lock } of this.#inside) {
      const held = this.#held.get(run.fence);
      if (held?.key !== key || !isClosing(run) || !this.#isHeld(run, process) || this.#isUnlocking(lock)) continue;
      // The store reports its changes within the commit: an error there would break off the commit.
      this.#freedRuns.push(run);
    }
  }

  #isUnlocking(name: string): boolean {
    for (const unlocking of this.#unlocking) if (unlocking.name === name) return true;
    return false;
  }

  /** Whether a body of a process that closes must still have its lock. */
  #isHeld(run: Run, process: FakeProcess): boolean {
    const held = this.#held.get(run.fence);
    if (held === undefined || this.#mayNotKnow(run)) return false;
    // A sweep removed its session after its process was stopped: the lock is lost, but not by the close.
    if (!this.#lives.isLiving(held.session)) return false;
    const over = Math.min(held.until, this.#lives.knownUntil(held.session), this.#closing.get(process) ?? 0);
    return this.#clock.monotonic() < over - LATE;
  }

  forgotten(version: string): void {
    this.#forgotten = { version, until: this.#clock.monotonic() + this.#ttl };
    this.#holds.clear();
    this.#locked.clear();
    this.once.forgotten();
    this.keys.forgotten();
    this.#lines.forgotten();
    this.#rates.forgotten();
    this.#retained.forgotten();
  }

  /** Call it when a process begins to close. */
  closing(process: FakeProcess, grace: number): void {
    const over = this.#clock.monotonic() + grace;
    this.#closing.set(process, over);
  }

  enter(entered: Entered): void {
    const { lock, run, process } = entered;
    if (this.#closing.has(process)) throw new Error(`${lock} begins in a process that is closing`);
    if (this.#clock.monotonic() < (this.#holds.get(lock) ?? 0)) throw new Error(`${lock} begins while it is held`);
    const inside: Inside = { ...entered, stops: process.stops, unlocked: false };
    this.#inside.add(inside);
    if (this.#rated.has(run.id)) this.#rates.entered(run);
    this.check();
    const last = this.#lastFence.get(lock) ?? "0";
    if (compareVersions(run.fence, last) > 0) this.#lastFence.set(lock, run.fence);
    // A run that lost its lock before it got the answer to its grant cannot know that others came after it.
    else if (!inside.unlocked && !this.#mayNotKnow(run))
      throw new Error(`${lock} runs with ${run.fence} after ${last}`);
  }

  leave(run: Run): void {
    for (const inside of this.#inside) if (inside.run === run) this.#inside.delete(inside);
  }

  died(process: FakeProcess): void {
    for (const inside of this.#inside) if (inside.process === process) this.#inside.delete(inside);
  }

  /** Call it when a name is held: no body of the name may begin until then. */
  holding(name: string, until: number): void {
    for (const { name: unlocked } of this.#unlocking) if (unlocked === name) return;
    this.#holds.set(name, until);
  }

  unlocking(name: string, by: FakeProcess): () => void {
    const unlocking = { name, by };
    this.#unlocking.add(unlocking);
    this.#holds.delete(name);
    for (const inside of this.#inside)
      if (inside.lock === name && inside.process === by) inside.unlockedHere = unlocking;
    return () => void this.#unlocking.delete(unlocking);
  }

  check(): void {
    this.#retained.check();
    // A store that forgets its content reports that only after the locks are gone.
    for (const run of this.#freedRuns.splice(0)) {
      if (this.#mayNotKnow(run)) continue;
      throw new Error(`a close frees the lock of ${run.name} with ${run.fence} while its body runs`);
    }
    this.once.check();
    this.keys.check();
    this.#lines.check();
    this.#rates.check();
    if (this.#takenForDead !== undefined) throw new Error(this.#takenForDead);
    const holders = new Map<string, Inside>();
    const permits = new Map<string, Inside[]>();
    for (const inside of this.#inside) {
      const { lock, process, run, stops } = inside;
      // Two bodies may run once the entry is gone, which only the store knows: excuse each body inside.
      for (const it of this.#unlocking) if (it.name === lock && it !== inside.unlockedHere) inside.unlocked = true;
      // A resumed process cannot signal all its bodies at once, so they are not judged. A body that it begins
      // before it has done so is judged: the process must read the clock first. The signal of a body whose
      // process closes has fired, and cannot fire again for a forced unlock.
      const isKept = isClosing(run) && inside.unlockedHere === undefined && this.#isHeld(run, process);
      const over = overOf(run);
      const isHolder = !over.aborted || isKept;
      if (!isHolder || !(process.running || (process.waking && stops === process.stops))) continue;
      if (this.#judgesSignals && !over.aborted) this.#checkSignal(inside);
      // A body that may run without its lock may run without its permits.
      if (!inside.unlocked && !this.#mayNotKnow(run))
        for (const permit of Object.keys(this.#permits.get(run.id) ?? {}))
          permits.set(permit, [...(permits.get(permit) ?? []), inside]);
      const other = holders.get(lock);
      holders.set(lock, other === undefined ? inside : this.#newerOf(inside, other));
    }
    for (const [permit, having] of permits) {
      const most = Math.min(...having.map(({ run }) => this.#permits.get(run.id)?.[permit] ?? 0));
      if (having.length > most)
        throw new Error(
          `${having.length} runs have the permit ${permit} of ${most}: ${having.map(({ run }) => run.id)}`,
        );
    }
  }

  /** The newer of two holders of a name. Throws unless the older one lost its lock, and cannot know yet. */
  #newerOf(one: Inside, two: Inside): Inside {
    const [older, newer] = compareVersions(one.run.fence, two.run.fence) < 0 ? [one, two] : [two, one];
    if (older.unlocked || this.#mayNotKnow(older.run)) return newer;
    throw new Error(`two hold ${one.lock}: ${older.run.fence} and ${newer.run.fence}`);
  }

  /** Records a run that was closed as dead while its session lives and its lock is there. */
  #checkLost({ name, startTime, holder }: RunRecord, sender: object): void {
    if (this.#sessions.get(sender)?.has(holder.instance) === true || !this.#lives.isLiving(holder.instance)) return;
    for (const lock of this.#locked.values())
      if (lock.name === name && lock.run === startTime && lock.session === holder.instance)
        this.#takenForDead ??= `the run ${name} ${startTime} of ${holder.instance} is taken for dead, and has its lock`;
  }

  #mayNotKnow({ fence }: Run): boolean {
    return compareVersions(fence, this.#forgotten.version) < 0 && this.#clock.monotonic() <= this.#forgotten.until;
  }

  /** Throws if the lease of a body ended more than {@link LATE} ms ago and its signal has not fired. */
  #checkSignal({ lock, process, run }: Inside): void {
    const held = this.#held.get(run.fence);
    if (held === undefined) throw new Error(`${lock} runs with ${run.fence}, and no process took it with that fence`);
    const over = Math.min(held.until, this.#lives.until(held.session));
    const late = this.#clock.monotonic() - (process.waking ? over : Math.max(over, process.since));
    if (late <= LATE) return;
    throw new Error(`the signal of ${lock} with ${run.fence} is late: its lease was over ${Math.round(late)} ms ago`);
  }
}

/** Fires once a run no longer has its lock. The `signal` of a run that ignores its cancel has fired. */
function overOf({ signal, lost }: Run): AbortSignal {
  const { code } = (signal.reason ?? {}) as { readonly code?: unknown };
  return code === "CANCELLED" ? lost : signal;
}

/** The sessions that a lock, a queue or a turn notice names. If all of them are dead, so is the entry. */
function sessionsOf({ key, value }: StoredEntry): string[] {
  const { holder, waiting = [], session } = JSON.parse(value);
  if (isLock(key)) return [holder.instance];
  return session === undefined ? waiting.map((ticket: { readonly session: string }) => ticket.session) : [session];
}

/** Throws if an entry of dead sessions is left, wanted or not. Use it if some process sweeps. */
export async function checkNothingDead({ memory }: SharedStore): Promise<void> {
  const { entries } = await memory.scan({ from: "", to: "\uFFFF", reverse: false, limit: 1_000_000, values: true });
  const living = new Set(entries.filter(({ key }) => isSession(key)).map(({ value }) => JSON.parse(value).id));
  for (const entry of entries) {
    if (!isLocking(entry.key) && !isCall(entry.key)) continue;
    const sessions = sessionsOf(entry);
    if (sessions.every((session) => !living.has(session))) throw new Error(`${entry.key} is left of ${sessions}`);
  }
}

/**
 * Throws unless the index by start time has each record that is in the store, and nothing else. With
 * `forgets`, the store may have lost a record while its entry was under way.
 */
export async function checkIndex({ memory }: SharedStore, forgets: boolean): Promise<void> {
  const { entries } = await memory.scan({ from: "", to: "\uFFFF", reverse: false, limit: 1_000_000, values: true });
  const [records, indexed] = [new Set<string>(), new Set<string>()];
  const [inError, failures] = [new Set<string>(), new Set<string>()];
  for (const { key, value } of entries) {
    const decoded = decodeKey(key.slice(key.indexOf(" ") + 1));
    if (isRecord(key)) {
      const { name, startTime, endTime, inError: failed, status } = JSON.parse(value);
      records.add(JSON.stringify(decoded));
      if (failed)
        inError.add(JSON.stringify({ name, startTime, endTime })).add(JSON.stringify({ name, startTime, status }));
    } else if (isIndexed(key)) {
      const [first, ...rest] = decoded as readonly unknown[];
      const [endTime, startTime, name] = rest;
      if (first === "failed") failures.add(JSON.stringify({ name, startTime, endTime }));
      else if (first === "error")
        failures.add(JSON.stringify({ name: rest[1], startTime: rest[0], status: JSON.parse(value) }));
      else indexed.add(JSON.stringify({ name: rest[0], startTime: first }));
    }
  }
  for (const record of inError) if (!failures.has(record)) throw new Error(`the index lacks the failure ${record}`);
  for (const ref of failures)
    if (!forgets && !inError.has(ref)) throw new Error(`the index has ${ref}, which is not a failure`);
  for (const record of records) if (!indexed.has(record)) throw new Error(`the index lacks the record ${record}`);
  for (const ref of indexed)
    if (!forgets && !records.has(ref)) throw new Error(`the index has ${ref}, which is not a record`);
}
