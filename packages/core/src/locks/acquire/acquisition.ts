import type { JsonValue } from "../../channel/encoding/json.js";
import { knownValue } from "../../channel/encoding/known-value.js";
import { compareVersions } from "../../channel/encoding/version.js";
import { isChannelError } from "../../channel/errors.js";
import type { CommitResult, Entry, Version } from "../../channel/types.js";
import { type AtomicWrites, commitTogether } from "../atomic-writes.js";
import { assertNotCorrupt } from "../entries/corrupt.js";
import type { KeysOfLock } from "../entries/lock-keys.js";
import type { LockValue, SessionValue, Ticket } from "../entries/schema.js";
import { lockText } from "../entries/texts.js";
import { FREE, type LockView } from "../entries/view.js";
import type { Session } from "../session/session.js";
import { attemptOps, refusalOf, ticketsBehind } from "./attempt.js";
import type { CheckedAcquire } from "./checked-options.js";
import type { AcquireContext, Taken } from "./context.js";

/** How often a waiter checks the holder or the waiter ahead of it, in ms. A shorter wait never checks. */
export const GLANCE = 200;

/** Whether older data is good enough to take a session for alive. */
export type Trust = (session: string) => boolean;

const NOBODY: readonly Ticket[] = [];

/** One request for a lock. It attempts to take the lock until it has it or a living session blocks it. */
export class Acquisition {
  readonly name: string;
  readonly token: string;
  readonly context: AcquireContext;
  readonly keys: KeysOfLock;
  /**
   * A waiter that has not checked anybody yet accepts older data: most waits are short, so the read is rarely
   * worth it.
   */
  readonly trustsAtFirst: boolean;
  readonly #timeout: number;
  readonly #note: JsonValue | undefined;
  readonly #writes: AtomicWrites | undefined;

  constructor(context: AcquireContext, name: string, options: CheckedAcquire, writes: AtomicWrites | undefined) {
    this.name = name;
    this.token = context.nextToken();
    this.context = context;
    this.keys = context.keys.of(name);
    this.trustsAtFirst = options.wait > GLANCE;
    this.#timeout = options.timeout;
    this.#note = options.note;
    this.#writes = writes;
  }

  /**
   * Takes the lock if it is free or its holder is dead, without waiting. Otherwise resolves to the state of
   * the lock and its queue. `from`: that state as it was seen last.
   */
  async try(from: LockView, trust?: Trust): Promise<Taken | LockView> {
    const { channel, onOrphan } = this.context;
    let view = from;
    for (;;) {
      assertNotCorrupt(channel.name, this.name, view);
      const { lock, queue } = view;
      if (lock !== undefined && !(await this.isDead(lock.value.holder.instance, trust))) return view;
      const waiting =
        queue === undefined ? NOBODY : await ticketsBehind(queue, this.token, (session) => this.isDead(session, trust));
      if (waiting === undefined) return view;
      // Clean up before the attempt: if this process is killed in between, the next one finds the dead lock
      // and cleans up again.
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

  /**
   * Takes the lock if it and its queue are as in `view`. Otherwise resolves to what they are. `waiting`: the
   * tickets that stay in the queue.
   */
  async attempt(view: LockView = FREE, waiting: readonly Ticket[] = NOBODY): Promise<Taken | LockView> {
    const { channel: locks } = this.context;
    for (;;) {
      const session = this.context.livingSession() ?? (await this.context.session());
      const writes = this.#writes?.prepare(session);
      // Count from before the commit, as the session does. Another process that ends this lock must not do so
      // before its holder.
      const until = this.context.clock.monotonic() + this.#timeout;
      const lock = this.#lock(session, until);
      const value = this.#stored(lock, session, writes?.noteText);
      const checked = session.version;
      const request = attemptOps({ session, name: this.name, keys: this.keys, view, value, waiting });
      let result: CommitResult<unknown>;
      try {
        result = await commitTogether(locks, request.ops, writes);
      } catch (error) {
        throw this.#afterFailure(error);
      }
      if (result.ok) {
        const view = waiting.length === 0 ? undefined : this.#view(lock, result.version, waiting, writes?.noteText);
        return { session, fence: result.version, until, view };
      }
      const refusal = refusalOf(result.failed, request, view);
      if (refusal.type === "blocked") return refusal.view;
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

  /** Awaits a commit. If its outcome is unknown, records what it may have left in the store. */
  async guarded<T>(commit: Promise<T>): Promise<T> {
    try {
      return await commit;
    } catch (error) {
      throw this.#afterFailure(error);
    }
  }

  /** If the outcome of a commit is unknown, records what it may have left in the store. Returns the error. */
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

  /** The lock as it is written: with its note. */
  #stored(lock: LockValue, { holderText }: Session, noteText: string | undefined): LockValue {
    if (noteText !== undefined) return knownValue(lockText(lock, holderText, noteText));
    return this.#note === undefined ? lock : { ...lock, note: this.#note };
  }

  /** How a commit left the lock and its queue: the next waiter of this process need not read them. */
  #view(lock: LockValue, fence: Version, waiting: readonly Ticket[], noteText: string | undefined): LockView {
    const note = noteText === undefined ? this.#note : (JSON.parse(noteText) as JsonValue);
    const value = note === undefined ? lock : { ...lock, note };
    return { lock: { value, version: fence }, queue: { value: { waiting }, version: fence } };
  }
}
