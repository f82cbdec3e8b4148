import type { Channel } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { JsonValue } from "../channel/json.js";
import type { Entry } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { attempt, FREE, type LockView } from "./attempt.js";
import { type LocksValue, type LockValue, queueKey, type SessionValue, sessionKey, type Ticket } from "./entries.js";
import type { Liveness } from "./liveness.js";
import type { Session } from "./session.js";
import type { AcquireOptions, Companion } from "./types.js";
import { readView, ViewWatch } from "./view-watch.js";

/** How often a waiter glances at the holder's process, and how often, in glances, it reads the store in case a notice was lost. */
const GLANCE = 200;
const GLANCES_TO_A_READ = 10;

/** What an acquisition needs of the locks that it is made for. */
export interface Acquirer {
  readonly channel: Channel<LocksValue>;
  readonly clock: Clock;
  readonly liveness: Liveness;
  /** The living session of this process. */
  session(): Promise<Session>;
  /** A text that no acquisition has had, here or elsewhere. */
  nextToken(): string;
  onOrphan(lock: Entry<LockValue>): Promise<void>;
  /** An attempt or a ticket of which nobody knows whether it is in the store: to be removed once the store can be asked. */
  abandon(name: string, token: string): void;
}

/** A lock that was taken. */
export interface Taken {
  readonly session: Session;
  readonly fence: string;
  /** When it runs out of its time, by the monotonic clock. */
  readonly until: number;
}

/** One request for a lock, from the first attempt until it is had or given up. */
export class Acquisition {
  readonly name: string;
  readonly token: string;
  readonly #by: Acquirer;
  readonly #options: AcquireOptions & { readonly timeout: number };
  readonly #companion: Companion | undefined;
  /** The session that our ticket in the queue names. */
  #queuedAs: Session | undefined;

  constructor(
    by: Acquirer,
    name: string,
    options: AcquireOptions & { readonly timeout: number },
    companion: Companion | undefined,
  ) {
    this.name = name;
    this.token = by.nextToken();
    this.#by = by;
    this.#options = options;
    this.#companion = companion;
  }

  /** Takes the lock if it is free, waiting for nobody. Otherwise resolves to what is in the way. */
  async try(from: LockView = FREE): Promise<Taken | LockView> {
    let view = from;
    for (;;) {
      const { lock } = view;
      if (lock !== undefined && !(await this.#by.liveness.isDead(lock.value.holder.instance))) return view;
      const waiting = await this.#afterMe(view);
      if (waiting === undefined) return view;
      // Before, not after: if we are killed in between, the next one finds the dead lock and cleans up as well.
      if (lock !== undefined) await this.#by.onOrphan({ key: this.name, ...lock });
      const outcome = await this.#attempt(view, waiting);
      if ("fence" in outcome) return outcome;
      view = outcome;
    }
  }

  /** Who waits after us, if nobody who lives waits before us. */
  async #afterMe(view: LockView): Promise<readonly Ticket[] | undefined> {
    const waiting = view.queue?.value.waiting ?? [];
    const mine = waiting.findIndex(({ token }) => token === this.token);
    const ahead = mine < 0 ? waiting : waiting.slice(0, mine);
    for (const { session } of ahead) if (!(await this.#by.liveness.isDead(session))) return undefined;
    return mine < 0 ? [] : waiting.slice(mine + 1);
  }

  async #attempt(view: LockView, waiting: readonly Ticket[]): Promise<Taken | LockView> {
    for (;;) {
      const session = await this.#by.session();
      const burden = this.#companion?.prepare(session.holder);
      const channel = this.#companion?.channel;
      const beside = burden?.beside ?? [];
      const also = channel === undefined || burden === undefined ? undefined : { channel, ops: burden.ops };
      const value = this.#value(session, burden?.note ?? this.#options.note);
      const outcome = await this.#guarded(attempt(this.#by.channel, { session, view, value, waiting, beside, also }));
      if (outcome.type === "taken") return { session, fence: outcome.fence, until: value.until };
      if (outcome.type === "blocked") return outcome.view;
      if (outcome.type === "refused") await this.#companion?.refused(outcome.current);
      else await this.#settle(session, outcome.current);
    }
  }

  /**
   * The store has the session at another version than we thought: it was renewed while a commit was under way, and the answer will come;
   * or it is gone, and its next renewal would find out.
   */
  async #settle(session: Session, current: Entry<SessionValue> | undefined): Promise<void> {
    if (current === undefined) return session.gone();
    const { value, version } = current;
    session.changed(value, version);
    while (session.alive && session.version !== version) {
      const before = session.version;
      await new Promise<void>((resolve) => void this.#by.clock.after(1, resolve, true));
      if (session.version !== before) return;
    }
  }

  async #guarded<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (isChannelError(error) && error.outcome === "unknown") this.#by.abandon(this.name, this.token);
      throw error;
    }
  }

  #value(session: Session, note: JsonValue | undefined): LockValue {
    const { name, token } = this;
    const { timeout } = this.#options;
    const { clock } = this.#by;
    // Counted from before it is asked for, as a session's life is: whoever ends it for us must not be sooner than we are.
    const until = clock.monotonic() + timeout;
    const value: LockValue = { name, holder: session.holder, token, since: clock.now(), timeout, until };
    return note === undefined ? value : { ...value, note };
  }

  /** Waits its turn, for as long as `signal` lets it. Resolves to what is in the way if its time is over. */
  async wait(from: LockView, signal: AbortSignal): Promise<Taken | LockView> {
    const done = new AbortController();
    const watch = new ViewWatch(this.#by.channel, this.name, this.#by.clock, AbortSignal.any([signal, done.signal]));
    let view = from;
    try {
      for (let glances = 0; !signal.aborted; ) {
        const outcome = await this.#queue(view);
        if ("fence" in outcome) return outcome;
        await this.#untilNext(watch, signal);
        if (++glances % GLANCES_TO_A_READ === 0 || !this.#by.channel.supports.watch) await watch.refresh();
        view = watch.view;
      }
      await this.#leave();
      return await readView(this.#by.channel, this.name);
    } catch (error) {
      // Refused by the companion, with a store that can be asked: a ticket that is left until the next heartbeat would block the others.
      const gone = !isChannelError(error) && (await this.#tryToLeave());
      if (!gone) this.#by.abandon(this.name, this.token);
      throw error;
    } finally {
      done.abort();
    }
  }

  /**
   * Of the many changes that many waiters cause, only one makes it our turn. Whether those before us still live is looked at every {@link GLANCE}
   * ms, however many come and go.
   */
  async #untilNext(watch: ViewWatch, signal: AbortSignal): Promise<void> {
    const { clock } = this.#by;
    const glance = clock.monotonic() + GLANCE;
    for (let left = GLANCE; left > 0 && !signal.aborted; left = glance - clock.monotonic()) {
      if (!(await watch.change(left)) || this.#mayBeNext(watch.view)) return;
    }
  }

  /** Whether it looks as if it were our turn, or as if we were forgotten. */
  #mayBeNext({ lock, queue }: LockView): boolean {
    const place = queue?.value.waiting.findIndex(({ token }) => token === this.token) ?? -1;
    return place < 0 || (place === 0 && lock === undefined);
  }

  /** Takes the lock if it is our turn; otherwise makes sure that we stand in the queue. */
  async #queue(from: LockView): Promise<Taken | LockView> {
    let view = from;
    for (;;) {
      const outcome = await this.try(view);
      if ("fence" in outcome) return outcome;
      const session = await this.#by.session();
      const waiting = outcome.queue?.value.waiting ?? [];
      const queued = waiting.some(({ token }) => token === this.token) && this.#queuedAs === session;
      if (queued) return outcome;
      view = (await this.#enter(session, outcome)) ?? (await readView(this.#by.channel, this.name));
    }
  }

  /**
   * Stands in the queue, at its end. Resolves to what is in the way; to nothing once we stand there, or once the view must be read anew: the
   * lock may have become free before we stood in the queue.
   */
  async #enter(session: Session, view: LockView): Promise<LockView | undefined> {
    const key = queueKey(this.name);
    const others = (view.queue?.value.waiting ?? []).filter(({ token }) => token !== this.token);
    const result = await this.#by.channel.commit([
      // A ticket that reaches the store late, when nobody waits for it any more, must not block the others for as long as we live.
      { check: sessionKey(session.id), version: session.version },
      { check: key, version: view.queue?.version ?? null },
      { put: key, value: { waiting: [...others, { session: session.id, token: this.token }] } },
    ]);
    if (result.ok) {
      this.#queuedAs = session;
      return undefined;
    }
    for (const { index, current } of result.failed) {
      if (index === 1) return { ...view, queue: current as LockView["queue"] };
      await this.#settle(session, current as Entry<SessionValue> | undefined);
    }
    return undefined;
  }

  async #tryToLeave(): Promise<boolean> {
    return this.#leave().then(
      () => true,
      () => false,
    );
  }

  async #leave(): Promise<void> {
    await leaveQueue(this.#by.channel, this.name, this.token);
  }
}

/** Removes a ticket from the queue of a lock. */
export async function leaveQueue(channel: Channel<LocksValue>, name: string, token: string): Promise<void> {
  let queue = await channel.entry(queueKey(name));
  while (queue !== undefined) {
    const { waiting } = (queue as NonNullable<LockView["queue"]>).value;
    const others = waiting.filter((ticket) => ticket.token !== token);
    if (others.length === waiting.length) return;
    const key = queueKey(name);
    const result = await channel.commit([
      { check: key, version: queue.version },
      others.length > 0 ? { put: key, value: { waiting: others } } : { delete: key },
    ]);
    if (result.ok) return;
    queue = result.failed[0]?.current;
  }
}
