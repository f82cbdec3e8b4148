import { failedCheck } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import type { JsonValue } from "../../channel/encoding/json.js";
import { knownValue } from "../../channel/encoding/prepared.js";
import { compareVersions } from "../../channel/encoding/version.js";
import { ChannelError, isChannelError } from "../../channel/errors.js";
import type { CommitResult, Entry, FailedCheck, Key, Op, Version } from "../../channel/types.js";
import { isSignal } from "../../util/abort.js";
import type { Clock } from "../../util/clock.js";
import { ABOVE_ZERO, checkedDuration, type InMs } from "../../util/duration.js";
import { type AtomicWrites, commitTogether } from "../atomic-writes.js";
import {
  type KeysOfLock,
  type LockKeys,
  type LocksValue,
  type LockValue,
  lockText,
  type QueueValue,
  type SessionValue,
  type Ticket,
} from "../entries/schema.js";
import { ticketsOf } from "../entries/valid.js";
import { assertNotCorrupt, FREE, type LockView, queueOps, queueWith } from "../entries/view.js";
import type { Liveness } from "../session/liveness.js";
import type { Session } from "../session/session.js";
import type { AcquireOptions } from "../types.js";
import type { OwnTickets } from "./own-tickets.js";
import type { TurnNotices } from "./wait-watch.js";

/** The parts of {@link Locks} that an acquisition uses. */
export interface AcquireContext {
  readonly channel: Channel<LocksValue>;
  readonly clock: Clock;
  readonly liveness: Liveness;
  readonly notices: TurnNotices;
  readonly tickets: OwnTickets;
  readonly keys: LockKeys;
  /** The living session of this process, if it is known to be open. */
  livingSession(): Session | undefined;
  /** The living session of this process; opens one if there is none. */
  session(): Promise<Session>;
  /** A token that is unique among all acquisitions of all processes. */
  nextToken(): string;
  /** Called before the lock of a dead holder is taken over. */
  onOrphan(lock: Entry<LockValue>): Promise<void>;
  /** Records an attempt or a ticket of unknown outcome. The cleanup removes it once the store answers. */
  abandon(name: string, token: string): void;
}

/** A lock that was taken. */
export interface Taken {
  readonly session: Session;
  readonly fence: string;
  /** The end of the lock's timeout, by the monotonic clock. */
  readonly until: number;
  /** The lock and its queue, as the commit of the lock left them; `undefined` without waiters. */
  readonly view: LockView | undefined;
  /** See {@link PreparedWrites.ownKeys}. */
  readonly ownKeys?: readonly Key[] | undefined;
}

const HOUR = 3_600_000;

interface CheckedAcquire extends InMs<AcquireOptions> {
  readonly timeout: number;
  readonly wait: number;
}

/** Checks the options of an acquisition, and fills in the defaults. */
export function checkedOptions(name: string, options: AcquireOptions): CheckedAcquire {
  if (typeof name !== "string" || name === "") {
    refuse("the name of a lock must be a text that is not empty");
  }
  const { signal, note } = options;
  const wait = checkedDuration("wait", options.wait ?? 0, refuse, 0, Number.POSITIVE_INFINITY);
  if (signal !== undefined && !isSignal(signal)) {
    refuse("signal must be an AbortSignal");
  }
  const timeout = checkedDuration("timeout", options.timeout ?? HOUR, refuse, ABOVE_ZERO);
  return { timeout, wait, ...(signal && { signal }), ...(note !== undefined && { note }) };
}

/** Throws an `INVALID_ARGUMENT` error for a call about locks. */
export function refuse(message: string): never {
  throw new ChannelError("INVALID_ARGUMENT", message);
}

/** One attempt to take a lock, in one commit: if the session lives, and lock and queue are as in `view`. */
interface Attempt {
  readonly session: Session;
  readonly name: string;
  readonly keys: KeysOfLock;
  readonly view: LockView;
  readonly value: LockValue;
  /** The queue once the lock is taken; `undefined` if no process waits any more. */
  readonly queue: QueueValue | undefined;
}

/** The ops of an attempt, and the keys that they check. */
interface AttemptOps extends KeysOfLock {
  readonly ops: readonly Op<LocksValue>[];
  readonly session: Key;
}

/** Why an attempt did not get the lock. */
type Refusal =
  /** Another holder has the lock, or another waiter is ahead. */
  | { readonly type: "blocked"; readonly view: LockView }
  /** The store has no session entry, or another version of it than the attempt expected. */
  | { readonly type: "session"; readonly current: Entry<SessionValue> | undefined }
  /** A check of the owner's writes failed. */
  | { readonly type: "refused"; readonly current: Entry<unknown> | undefined };

/**
 * Checks whether a request may take a free lock: only tickets of dead sessions may be ahead of it. If so,
 * resolves to the tickets behind it, which stay in the queue; `undefined` if a living session waits ahead of
 * it.
 */
async function ticketsBehind(
  queue: NonNullable<LockView["queue"]>,
  token: string,
  isDead: (session: string) => Promise<boolean>,
): Promise<readonly Ticket[] | undefined> {
  const waiting = ticketsOf(queue.value);
  const mine = waiting.findIndex((ticket) => ticket.token === token);
  const ahead = mine < 0 ? waiting : waiting.slice(0, mine);
  // Check each session once: a process with a thousand tickets may have died.
  const dead = new Set<string>();
  for (const { session } of ahead) {
    if (dead.has(session)) continue;
    if (!(await isDead(session))) return undefined;
    dead.add(session);
  }
  return mine < 0 ? [] : waiting.slice(mine + 1);
}

/** The ops of one attempt, for one commit with the writes of the lock's owner. */
function attemptOps({ session, name, keys, view, value, queue: next }: Attempt): AttemptOps {
  const { lock, queue } = keys;
  const ops: Op<LocksValue>[] = [
    { check: session.key, version: session.version },
    { check: lock, version: view.lock?.version ?? null },
    { put: lock, value },
    { check: queue, version: view.queue?.version ?? null },
  ];
  if (view.queue !== undefined) ops.push(...queueOps(name, view.queue.value, next));
  return { ops, session: session.key, lock, queue };
}

/** The meaning of the failed checks in a commit of {@link attemptOps}. */
function refusalOf(failed: readonly FailedCheck<unknown>[], keys: AttemptOps, view: LockView): Refusal {
  const session = failedCheck(failed, keys.session);
  if (session !== undefined) return { type: "session", current: session.current as Entry<SessionValue> | undefined };
  const lock = failedCheck(failed, keys.lock);
  const queue = failedCheck(failed, keys.queue);
  if (lock === undefined && queue === undefined) return { type: "refused", current: failed[0]?.current };
  return {
    type: "blocked",
    view: {
      lock: lock === undefined ? view.lock : (lock.current as Entry<LockValue> | undefined),
      queue: queue === undefined ? view.queue : (queue.current as Entry<QueueValue> | undefined),
    },
  };
}

/** How often a waiter checks the holder or the waiter ahead of it, in ms. A shorter wait never checks. */
export const LIVENESS_POLL = 200;

/** Whether older data is good enough to consider a session alive. */
export type Trust = (session: string) => boolean;

const NO_TICKETS: readonly Ticket[] = [];

/** One request for a lock. It attempts to take the lock until it has it or a living session blocks it. */
export class Acquisition {
  readonly name: string;
  readonly token: string;
  readonly context: AcquireContext;
  readonly keys: KeysOfLock;
  readonly note: JsonValue | undefined;
  /** Whether the first check may use older data about sessions: most waits are too short for a fresh read. */
  readonly trustsAtFirst: boolean;
  readonly #timeout: number;
  readonly #writes: AtomicWrites | undefined;

  constructor(context: AcquireContext, name: string, options: CheckedAcquire, writes: AtomicWrites | undefined) {
    this.name = name;
    this.token = context.nextToken();
    this.context = context;
    this.keys = context.keys.of(name);
    this.trustsAtFirst = options.wait > LIVENESS_POLL;
    this.#timeout = options.timeout;
    this.note = options.note;
    this.#writes = writes;
  }

  /**
   * Takes the lock without waiting, if it is free or its holder is dead. Otherwise resolves to the state of
   * the lock and its queue. `from`: that state as last seen.
   */
  async try(from: LockView, trust?: Trust): Promise<Taken | LockView> {
    const { channel, onOrphan } = this.context;
    let view = from;
    for (;;) {
      assertNotCorrupt(channel.name, this.name, view);
      const { lock, queue } = view;
      if (lock !== undefined && !(await this.isDead(lock.value.holder.instance, trust))) return view;
      const waiting =
        queue === undefined
          ? NO_TICKETS
          : await ticketsBehind(queue, this.token, (session) => this.isDead(session, trust));
      if (waiting === undefined) return view;
      // Clean up before the attempt: if we are killed in between, the next process cleans up again.
      if (lock !== undefined) await onOrphan({ key: this.name, ...lock });
      const outcome = await this.attempt(view, waiting);
      if ("fence" in outcome) return outcome;
      view = outcome;
    }
  }

  /** Trust only session data that was read recently, unless a watch covers that session. */
  isDead(session: string, trust: Trust | undefined): Promise<boolean> {
    const trusted = trust === undefined ? this.trustsAtFirst : trust(session);
    return this.context.liveness.isDead(session, { recently: !trusted });
  }

  /** Takes the lock if it is as in `view`; else resolves to its state. `waiting`: tickets that stay. */
  async attempt(view: LockView = FREE, waiting: readonly Ticket[] = NO_TICKETS): Promise<Taken | LockView> {
    const { channel: locks } = this.context;
    const queue = queueWith(view.queue?.value, waiting);
    for (;;) {
      const session = this.context.livingSession() ?? (await this.context.session());
      const writes = this.#writes?.prepare(session);
      // The timeout counts from before the commit, so that no other process ends the lock before its holder.
      const until = this.context.clock.monotonic() + this.#timeout;
      const lock = this.#lock(session, until);
      const value = this.#stored(lock, session, writes?.noteText);
      const checked = session.version;
      const request = attemptOps({ session, name: this.name, keys: this.keys, view, value, queue });
      let result: CommitResult<unknown>;
      try {
        result = await commitTogether(locks, request.ops, writes);
      } catch (error) {
        throw this.#afterFailure(error);
      }
      if (result.ok) {
        const view = queue === undefined ? undefined : this.#view(lock, result.version, queue, writes?.noteText);
        return { session, fence: result.version, until, view, ownKeys: writes?.ownKeys };
      }
      const refusal = refusalOf(result.failed, request, view);
      if (refusal.type === "blocked") {
        this.#writes?.blocked?.();
        return refusal.view;
      }
      if (refusal.type === "refused") await this.#writes?.refused(refusal.current);
      else await this.settle(session, checked, refusal.current);
    }
  }

  /**
   * Waits until this process knows the same version of its session as the store.
   *
   * The store had another version than the commit expected. Either the answer to a renewal is still on its
   * way, or the session is gone. If the store has an older version, it lost a renewal and maybe other writes:
   * the session is over.
   */
  async settle(session: Session, checked: Version, current: Entry<SessionValue> | undefined): Promise<void> {
    if (current === undefined || compareVersions(current.version, checked) < 0) return session.gone();
    const { value, version } = current;
    session.changed(value, version);
    while (session.alive && compareVersions(session.version, version) < 0) {
      const before = session.version;
      await new Promise<void>((resolve) => void this.context.clock.after(1, resolve, true));
      if (session.version !== before) return;
    }
  }

  /** Awaits a commit. If its outcome is unknown, records for the cleanup what it may have left. */
  async guarded<T>(commit: Promise<T>): Promise<T> {
    try {
      return await commit;
    } catch (error) {
      throw this.#afterFailure(error);
    }
  }

  /** Records for the cleanup what a failed commit of unknown outcome may have left. Returns the error. */
  #afterFailure(error: unknown): unknown {
    // An error that is not a ChannelError comes from a driver, so the outcome is unknown.
    if (!isChannelError(error) || error.outcome === "unknown") this.context.abandon(this.name, this.token);
    return error;
  }

  /** The lock without its note. */
  #lock({ holder }: Session, until: number): LockValue {
    const { name, token } = this;
    return { name, holder, token, since: this.context.clock.now(), timeout: this.#timeout, until };
  }

  /** The lock as the store gets it: with its note. */
  #stored(lock: LockValue, { holderText }: Session, noteText: string | undefined): LockValue {
    if (noteText !== undefined) return knownValue(lockText(lock, holderText, noteText));
    return this.note === undefined ? lock : { ...lock, note: this.note };
  }

  /** The lock and its queue after a commit: the next waiter of this process need not read them. */
  #view(lock: LockValue, fence: Version, queue: QueueValue, noteText: string | undefined): LockView {
    const note = noteText === undefined ? this.note : (JSON.parse(noteText) as JsonValue);
    const value = note === undefined ? lock : { ...lock, note };
    return { lock: { value, version: fence }, queue: { value: queue, version: fence } };
  }
}
