import type { Channel } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { JsonValue } from "../channel/json.js";
import type { Entry, Version } from "../channel/types.js";
import { compareVersions } from "../channel/version.js";
import type { Clock } from "../clock.js";
import { attempt, FREE, type LockView, readView } from "./attempt.js";
import type { Calls } from "./calls.js";
import { type LocksValue, type LockValue, queueKey, type SessionValue, sessionKey, type Ticket } from "./entries.js";
import { assertOurs } from "./foreign.js";
import type { Liveness } from "./liveness.js";
import { Lookout } from "./lookout.js";
import { leaveQueue, queueOps } from "./queue.js";
import type { Session } from "./session.js";
import type { AcquireOptions, Companion } from "./types.js";
import { Wake } from "./wake.js";

/** How often a waiter glances at whom it waits for, in ms, and how often, in glances, it reads the store in case a notice was lost. */
const GLANCE = 200;
const GLANCES_TO_A_READ = 10;

/** How often, in glances, it looks at all who are before it. */
const GLANCES_TO_A_LOOK_AHEAD = 50;

/** Of so many sessions before it a waiter sees the renewals. A thousand that wait must not read a thousand each. */
const MOST_AHEAD = 16;

/**
 * A glance that takes as long, in ms, tells of a program that stood still: a {@link StandIn} may have withdrawn our ticket. Not less: where all is slow
 * because very many wait, they must not read more often for that.
 */
const BUSY = GLANCE * GLANCES_TO_A_READ;

/** What an acquisition needs of the locks that it is made for. */
export interface Acquirer {
  readonly channel: Channel<LocksValue>;
  readonly clock: Clock;
  readonly liveness: Liveness;
  readonly calls: Calls;
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

/** By what one who waits is woken. */
interface Waiting {
  readonly wake: Wake;
  readonly lookout: Lookout;
  readonly signal: AbortSignal;
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
  #glances = 0;
  #lookout: Lookout | undefined;

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
      assertOurs(this.#by.channel.name, this.name, view);
      const { lock } = view;
      if (lock !== undefined && !(await this.#isDead(lock.value.holder.instance))) return view;
      const waiting = await this.#afterMe(view);
      if (waiting === undefined) return view;
      // Before, not after: if we are killed in between, the next one finds the dead lock and cleans up as well.
      if (lock !== undefined) await this.#by.onOrphan({ key: this.name, ...lock });
      const outcome = await this.#attempt(view, waiting);
      if ("fence" in outcome) return outcome;
      view = outcome;
    }
  }

  /** Nothing but what was read recently is gone by where nobody would tell us more, unless we have only begun to wait: most waits are short. */
  #isDead(session: string): Promise<boolean> {
    const { wait = 0 } = this.#options;
    const begins = wait > GLANCE && this.#glances === 0;
    return this.#by.liveness.isDead(session, { recently: !begins && this.#lookout?.watches(session) !== true });
  }

  /** Who waits after us, if nobody who lives waits before us. */
  async #afterMe(view: LockView): Promise<readonly Ticket[] | undefined> {
    const waiting = view.queue?.value.waiting ?? [];
    const mine = waiting.findIndex(({ token }) => token === this.token);
    const ahead = mine < 0 ? waiting : waiting.slice(0, mine);
    for (const { session } of ahead) if (!(await this.#isDead(session))) return undefined;
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
      const checked = session.version;
      const outcome = await this.#guarded(attempt(this.#by.channel, { session, view, value, waiting, beside, also }));
      if (outcome.type === "taken") return { session, fence: outcome.fence, until: value.until };
      if (outcome.type === "blocked") return outcome.view;
      if (outcome.type === "refused") await this.#companion?.refused(outcome.current);
      else await this.#settle(session, checked, outcome.current);
    }
  }

  /**
   * The store has the session at another version than we thought: it was renewed while a commit was under way, and the answer will come;
   * or it is gone, and its next renewal would find out. Versions never go back in a store that keeps its data: one that is older than what we had
   * by then has lost a renewal, and who knows what else.
   */
  async #settle(session: Session, checked: Version, current: Entry<SessionValue> | undefined): Promise<void> {
    if (current === undefined || compareVersions(current.version, checked) < 0) return session.gone();
    const { value, version } = current;
    session.changed(value, version);
    while (session.alive && compareVersions(session.version, version) < 0) {
      const before = session.version;
      await new Promise<void>((resolve) => void this.#by.clock.after(1, resolve, true));
      if (session.version !== before) return;
    }
  }

  async #guarded<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      // Of an error that is none of a channel's, a driver's own, nobody knows what was done before it.
      if (!isChannelError(error) || error.outcome === "unknown") this.#by.abandon(this.name, this.token);
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
    const { channel, calls, clock, liveness } = this.#by;
    const wake = new Wake(clock);
    const lookout = new Lookout(channel, liveness, wake);
    this.#lookout = lookout;
    const onAbort = (): void => wake.wake();
    signal.addEventListener("abort", onAbort, { once: true });
    // Who comes to be the first watches the lock; who was it already looks again.
    const unexpect = calls.expect(this.token, wake, () => lookout.watchLock(this.name) || wake.wake());
    let view = from;
    try {
      while (!signal.aborted) {
        const outcome = await this.#queue(view);
        if ("fence" in outcome) return outcome;
        view = await this.#next(outcome, { wake, lookout, signal });
      }
      await leaveQueue(channel, this.name, { token: this.token });
      const over = await readView(channel, this.name);
      assertOurs(channel.name, this.name, over);
      return over;
    } catch (error) {
      // A ticket that is left until the next heartbeat would block the others.
      const leaving = this.#tryToLeave();
      // Refused by the companion, with a store that can be asked. One that failed is not waited for, and may get our ticket later still.
      const gone = !isChannelError(error) && (await leaving);
      if (!gone) this.#by.abandon(this.name, this.token);
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      unexpect();
      lookout.stop();
    }
  }

  /**
   * Waits until there is reason to look again, and resolves to what to go by. Others wake us when we come to be the first; then the lock itself does.
   * What nobody can tell is looked for every {@link GLANCE} ms: the first in the queue looks after the holder, each other after the one before it.
   */
  async #next(view: LockView, { wake, lookout, signal }: Waiting): Promise<LockView> {
    const { channel, clock } = this.#by;
    const waiting = view.queue?.value.waiting ?? [];
    const place = waiting.findIndex(({ token }) => token === this.token);
    if (place === 0) lookout.watchLock(this.name);
    const before = waiting[place - 1];
    while (!signal.aborted) {
      const began = clock.monotonic();
      const woken = await wake.next(GLANCE);
      const busy = clock.monotonic() - began >= BUSY;
      // Nobody can take it but us, or one who takes us for dead: the attempt tells, without a look before it.
      if (view.lock !== undefined && lookout.freedAfter(view.lock.version)) return { ...view, lock: undefined };
      const often = !woken && ++this.#glances % GLANCES_TO_A_READ === 0;
      if (often && this.#glances % GLANCES_TO_A_LOOK_AHEAD === 0) await this.#lookAhead(view, place);
      if (!often && !woken && !busy && channel.supports.watch) {
        lookout.watchAhead(view, place);
        if (before === undefined || this.#queuedAs?.alive !== true) return view;
        if (!(await this.#isDead(before.session))) continue;
        // Its place is ours. If it was the first, whoever is the first now is called, and hears when the lock is freed.
        await leaveQueue(channel, this.name, before);
        // Others may have died with it.
        await this.#lookAhead(view, place - 1, Number.POSITIVE_INFINITY);
      }
      return readView(channel, this.name);
    }
    return view;
  }

  /** Sees the last renewals of those before us: should several of them die at once, we must not begin to count for one only when the other is over. */
  async #lookAhead({ lock, queue }: LockView, place: number, most: number = MOST_AHEAD): Promise<void> {
    const ahead = new Set((queue?.value.waiting ?? []).slice(0, Math.max(0, place)).map(({ session }) => session));
    if (lock !== undefined) ahead.add(lock.value.holder.instance);
    for (const session of [...ahead].slice(-most)) await this.#by.liveness.isDead(session, { recently: true });
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
      view = await this.#enter(session, outcome);
    }
  }

  /**
   * Stands in the queue, at its end. Resolves to what is in the way now. Whether the lock has become free meanwhile concerns the first in the queue
   * alone, who looks once it watches.
   */
  async #enter(session: Session, view: LockView): Promise<LockView> {
    // First: a call that nobody hears would leave us waiting.
    await this.#by.calls.hear(session.id);
    const key = queueKey(this.name);
    const waiting = view.queue?.value.waiting ?? [];
    const others = waiting.filter(({ token }) => token !== this.token);
    const next = [...others, { session: session.id, token: this.token }];
    const checked = session.version;
    const entering = this.#by.channel.commit([
      // A ticket that reaches the store late, when nobody waits for it any more, must not block the others for as long as we live.
      { check: sessionKey(session.id), version: checked },
      { check: key, version: view.queue?.version ?? null },
      ...queueOps(this.name, waiting, next),
    ]);
    const result = await this.#guarded(entering);
    if (result.ok) {
      this.#queuedAs = session;
      return { ...view, queue: { value: { waiting: next }, version: result.version } };
    }
    for (const { index, current } of result.failed) {
      if (index === 1) return { ...view, queue: current as LockView["queue"] };
      await this.#settle(session, checked, current as Entry<SessionValue> | undefined);
    }
    return view;
  }

  async #tryToLeave(): Promise<boolean> {
    return leaveQueue(this.#by.channel, this.name, { token: this.token }).then(
      () => true,
      () => false,
    );
  }
}
