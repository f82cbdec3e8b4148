import type { Backend, Clock, Duration, Supports } from "@ojm/core/backend";

/**
 * What the author of a backend gives to the suite: a name, and a way to open a store that the suite may write
 * to. With more of the optional members, here and in {@link TestStore}, the suite proves more. It reports a
 * case as skipped if the harness lacks what the case needs.
 *
 * @example
 * export const harness: Harness = {
 *   name: "mine",
 *   async open() {
 *     const file = await freshFile();
 *     return {
 *       client: () => backend.open({ file }, { clock: systemClock }),
 *       close: () => rm(file),
 *     };
 *   },
 * };
 */
export interface Harness {
  readonly name: string;
  /**
   * Opens a store that only the suite uses while it is open. The store need not be empty: the suite never
   * uses the same channels in two stores.
   */
  open(options?: OpenOptions): Promise<TestStore>;
  /** Called once, when the suite opens no more stores. Stop here what `open` started. */
  close?(): Promise<void>;
  /**
   * Cases that are known to fail: the reason, by name (`"WCH-012"`). A listed case that passes fails the run.
   */
  readonly knownFailures?: Readonly<Record<string, string>>;
  /**
   * The longest that a call may take while the store cannot be reached, with the options that `client` uses.
   * Default: 15 s.
   */
  readonly deadline?: Duration;
}

/** How the suite will use a store. */
export interface OpenOptions {
  /**
   * True if the case causes no faults. Its clients may then wait for as long as they like, so that a machine
   * that stalls for seconds does not look like an unreachable store. Default: false.
   */
  readonly patient?: boolean;
}

/** An open store, while a case runs on it. */
export interface TestStore {
  /**
   * Opens one more client. Clients share nothing but the store: each has its own connection. If a process can
   * open the store only once, use {@link oneClient}.
   */
  client(): Promise<Backend>;
  /** Closes the store. The suite has closed the clients by then. */
  close(): Promise<void>;
  /** The clock that the backend uses. Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Advances the clock by which entries expire, by `ms`. Without it, the suite waits. */
  advance?(ms: number): Promise<void>;
  /** Opens a client that no fault affects, to look at the store during a fault. */
  direct?(): Promise<Backend>;
  /** How to open a client in another process. */
  readonly remote?: RemoteClient;
  /** Begins a transaction of a caller, for a store with `supports.transactions`. */
  transaction?(): Promise<CallersTransaction>;
  /** Faults of the store, and of the network between `client()` and the store. */
  readonly faults?: Faults;
  /**
   * The number of round trips of all clients since the store was opened. In a round trip, a client sends
   * something and waits for the answer.
   */
  roundTrips?(): number;
}

/** A transaction of a caller, on a connection of its own. */
export interface CallersTransaction {
  /** What `Backend.commitIn` takes. */
  readonly client: unknown;
  /** Rejects if the store rejects the transaction. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** A module that another process imports to open a client of the same store. */
export interface RemoteClient {
  /**
   * The URL of a module. It exports either `client(args)`, which resolves to a `Backend`, or a backend type,
   * which is opened with `args`. For a package, use `createRequire(import.meta.url).resolve("@ojm/redis")`.
   */
  readonly module: string;
  /** Must be JSON. */
  readonly args: unknown;
}

/** Ends a fault. Resolves once the store can be reached again. */
export type Heal = () => Promise<void>;

/** Faults that a harness can cause. All but `restart` last until they are healed. */
export interface Faults {
  /** No data passes in either direction, and neither side is notified. */
  partition?(): Promise<Heal>;
  /** The store executes requests, but its replies are lost. */
  dropReplies?(): Promise<Heal>;
  /** All data takes `ms` longer to arrive. */
  delay?(ms: number): Promise<Heal>;
  /**
   * The store hangs. Once it resumes, it executes what was sent meanwhile. Resolves once the store no longer
   * answers.
   */
  pause?(): Promise<Heal>;
  /** Kills the store and starts it again with the data that it kept. Resolves once the store answers. */
  restart?(): Promise<void>;
}

/** The name of a fault. */
export type Fault = keyof Faults;

/**
 * What a backend may or may not declare: that several processes can share the store, that entries can have a
 * time to live, and so on.
 */
export type Capability = "severalProcesses" | "ttl" | "watch" | "commitAcrossChannels" | "transactions";

/** What a harness may or may not offer. */
export type Facility = Fault | "advance" | "direct" | "remote" | "roundTrips";

const FAULTS: readonly string[] = ["partition", "dropReplies", "delay", "pause", "restart"];
const CAPABILITIES: readonly string[] = ["severalProcesses", "ttl", "watch", "commitAcrossChannels", "transactions"];

/** The first capability in `needs` that `supports` does not declare. */
export function undeclared(needs: readonly (Capability | Facility)[], supports: Supports): Capability | undefined {
  return needs.find((need): need is Capability => isCapability(need) && !declares(supports, need));
}

function declares(supports: Supports, capability: Capability): boolean {
  return capability === "severalProcesses" ? supports.shared !== "process" : supports[capability] === true;
}

/** The first facility in `needs` that the harness of `store` does not offer. */
export function missing(needs: readonly (Capability | Facility)[], store: TestStore): Facility | undefined {
  return needs.find((need): need is Facility => !isCapability(need) && !offers(store, need));
}

function isCapability(need: string): need is Capability {
  return CAPABILITIES.includes(need);
}

/** Whether a need of a case is a fault. */
export function isFault(need: Capability | Facility): need is Fault {
  return FAULTS.includes(need);
}

function offers(store: TestStore, facility: Facility): boolean {
  return isFault(facility) ? store.faults?.[facility] !== undefined : store[facility] !== undefined;
}
