import type { Channel } from "../../channel/channel.js";
import type { Entry } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import type { LockKeys } from "../entries/lock-keys.js";
import type { LocksValue, LockValue } from "../entries/schema.js";
import type { LockView } from "../entries/view.js";
import type { Liveness } from "../session/liveness.js";
import type { Session } from "../session/session.js";
import type { OwnTickets } from "./own-tickets.js";
import type { TurnNotices } from "./turn-notices.js";

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
  /**
   * Records an attempt or a ticket that may or may not be in the store. The cleanup removes it once the store
   * answers.
   */
  abandon(name: string, token: string): void;
}

/** A lock that was taken. */
export interface Taken {
  readonly session: Session;
  readonly fence: string;
  /** When the timeout of the lock ends, by the monotonic clock. */
  readonly until: number;
  /** The lock and its queue, as the commit that took the lock left them; `undefined` if nobody waits. */
  readonly view: LockView | undefined;
}
