import { failedCheck } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { isChannelError } from "../../channel/errors.js";
import type { Entry, Version } from "../../channel/types.js";
import { type LocksValue, queueKey, type SessionValue, sessionKey, type Ticket } from "../entries/schema.js";
import { isQueue, ticketsOf } from "../entries/valid.js";
import { type LockView, leaveQueueTogether, queueOps, queueWith } from "../entries/view.js";
import type { Session } from "../session/session.js";

type Queue = LockView["queue"];

/** The result of entering a queue. */
export type Entered =
  | { readonly type: "entered"; readonly queue: Queue }
  /** The store has another version of the session than `checked`, or none. */
  | { readonly type: "session"; readonly checked: Version; readonly current: Entry<SessionValue> | undefined }
  /** ojm did not write this queue. */
  | { readonly type: "corrupt"; readonly queue: Queue };

type Waiting = Required<Pick<Ticket, "token" | "since">> & Pick<Ticket, "note">;

interface Entrant {
  readonly session: Session;
  readonly token: string;
  readonly ticket: Waiting;
  resolve(entered: Entered): void;
  reject(error: unknown): void;
}

interface Leaver {
  readonly token: string;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Enters the tickets of this process at the end of the queues of locks, in order of arrival, and removes
 * them. Waiters that want to enter or leave one queue while a commit is under way do so together in the next
 * commit. Otherwise the commits of a process with a thousand waiters would conflict half a million times.
 */
export class OwnTickets {
  readonly #channel: Channel<LocksValue>;
  /** The waiters that want to enter, by name. A name has an entry while a commit for it is under way. */
  readonly #entrants: Map<string, Entrant[]> = new Map();
  /** The same for the waiters that want to leave. */
  readonly #leavers: Map<string, Leaver[]> = new Map();

  constructor(channel: Channel<LocksValue>) {
    this.#channel = channel;
  }

  /**
   * Enters a ticket of a waiter that waits since `since`. `queue`: the queue as the caller last saw it.
   *
   * @throws ChannelError any error of the commit; if its outcome is unknown, the ticket may be in the queue
   */
  enter(name: string, session: Session, ticket: Waiting, queue: Queue): Promise<Entered> {
    return new Promise((resolve, reject) => {
      const entrant = { session, token: ticket.token, ticket, resolve, reject };
      const others = this.#entrants.get(name);
      if (others !== undefined) return void others.push(entrant);
      this.#entrants.set(name, [entrant]);
      void this.#enterAll(name, queue);
    });
  }

  /**
   * Removes a ticket. Does nothing if it is not there.
   *
   * @throws ChannelError any error of the store
   */
  leave(name: string, token: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const leaver = { token, resolve, reject };
      const others = this.#leavers.get(name);
      if (others !== undefined) return void others.push(leaver);
      this.#leavers.set(name, [leaver]);
      void this.#leaveAll(name);
    });
  }

  async #leaveAll(name: string): Promise<void> {
    const leavers = this.#leavers.get(name) ?? [];
    while (leavers.length > 0) {
      const together = leavers.splice(0);
      try {
        await leaveQueueTogether(this.#channel, name, new Set(together.map(({ token }) => token)));
        for (const { resolve } of together) resolve();
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    this.#leavers.delete(name);
  }

  async #enterAll(name: string, seen: Queue): Promise<void> {
    const entrants = this.#entrants.get(name) ?? [];
    let queue = seen;
    for (let [first] = entrants; first !== undefined; [first] = entrants) {
      // A commit checks only one session, so only tickets with the same session enter together.
      const { session } = first;
      const together = entrants.filter((entrant) => entrant.session === session);
      const others = entrants.filter((entrant) => entrant.session !== session);
      entrants.splice(0, entrants.length, ...others);
      queue = await this.#enterTogether(name, session, together, queue);
    }
    this.#entrants.delete(name);
  }

  /** Resolves to the queue as it was last seen. */
  async #enterTogether(name: string, session: Session, entrants: readonly Entrant[], seen: Queue): Promise<Queue> {
    const tokens = new Set(entrants.map(({ token }) => token));
    let queue = seen;
    for (;;) {
      const before = queue?.value;
      const tickets = entrants.map(({ ticket }) => ({ session: session.id, ...ticket }));
      const others = ticketsOf(before).filter(({ token }) => !tokens.has(token));
      const next = queueWith(before, [...others, ...tickets]);
      const checked = session.version;
      const keys = { session: sessionKey(session.id), queue: queueKey(name) };
      try {
        const result = await this.#channel.commit([
          // Check the session: a ticket that enters after its waiter gave up would block the others.
          { check: keys.session, version: checked },
          { check: keys.queue, version: queue?.version ?? null },
          ...queueOps(name, before, next),
        ]);
        if (result.ok) {
          queue = next && { value: next, version: result.version };
          for (const { resolve } of entrants) resolve({ type: "entered", queue });
          return queue;
        }
        const gone = failedCheck(result.failed, keys.session);
        const other = failedCheck(result.failed, keys.queue);
        if (other !== undefined) queue = other.current as Queue;
        if (gone !== undefined) {
          const current = gone.current as Entry<SessionValue> | undefined;
          for (const { resolve } of entrants) resolve({ type: "session", checked, current });
          return queue;
        }
        if (queue !== undefined && !isQueue(queue.value)) {
          for (const { resolve } of entrants) resolve({ type: "corrupt", queue });
          return queue;
        }
      } catch (error) {
        if (entrants.length > 1 && isChannelError(error) && error.code === "TOO_LARGE") {
          return this.#enterOneByOne(name, session, entrants, queue);
        }
        for (const { reject } of entrants) reject(error);
        return queue;
      }
    }
  }

  /** The queue has no room for all of them: the first ones must not fail together with the last. */
  async #enterOneByOne(name: string, session: Session, entrants: readonly Entrant[], seen: Queue): Promise<Queue> {
    let queue = seen;
    for (const entrant of entrants) queue = await this.#enterTogether(name, session, [entrant], queue);
    return queue;
  }
}
