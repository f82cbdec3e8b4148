import type { Backend, Clock, Supports } from "@ojm/core/backend";

/**
 * What the author of a backend hands to the suite: a name, and a way to open a store that the suite may write
 * to. Everything that is optional here, and in {@link TestStore}, proves more when it is there; cases that
 * need it are otherwise reported as skipped.
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
   * A store that nobody else uses while it is open. It need not be empty: no two stores are asked for the
   * same channels.
   */
  open(options?: OpenOptions): Promise<TestStore>;
  /** Called once, when no more stores will be opened: the place to stop what `open` started. */
  close?(): Promise<void>;
  /**
   * Cases that are known to fail, by name (`"WCH-012"`), each with the reason. One that passes fails the run.
   */
  readonly knownFailures?: Readonly<Record<string, string>>;
  /**
   * The longest a call may take when the store cannot be reached, in ms, with the options that `client` uses.
   * Default: 15,000.
   */
  readonly deadline?: number;
}

/** What a store is opened for. */
export interface OpenOptions {
  /**
   * The case brings no fault about: its clients may wait for as long as they like, so that a machine that
   * stands still for seconds is not taken for a store that is away. Default: false.
   */
  readonly patient?: boolean;
}

/** A store while a case runs on it. */
export interface TestStore {
  /**
   * One more client, which has nothing in common with the others but the store: a connection of its own.
   * Where a process can open the store only once, see {@link oneClient}.
   */
  client(): Promise<Backend>;
  /** Lets go of the store. The clients are closed by then. */
  close(): Promise<void>;
  /** The clock that the backend measures by, if it is not that of the machine. */
  readonly clock?: Clock;
  /** Moves on the time by which entries expire. Without it, the suite waits. */
  advance?(ms: number): Promise<void>;
  /** A client that no fault touches, to look at the store while there is one. */
  direct?(): Promise<Backend>;
  /** How to open a client in another process. */
  readonly remote?: RemoteClient;
  /** Faults on the way between `client()` and the store. */
  readonly faults?: Faults;
  /**
   * How often a client sent something and waited for the answer, of all clients since the store was opened.
   */
  roundTrips?(): number;
}

/** A module that another process imports to open a client of the same store. */
export interface RemoteClient {
  /**
   * The URL of a module that exports `client(args)`, which resolves to a `Backend`, or a backend type, which
   * is opened with `args`. A package's is found by `createRequire(import.meta.url).resolve("@ojm/redis")`.
   */
  readonly module: string;
  /** Must be JSON. */
  readonly args: unknown;
}

/** Ends a fault. Resolves once the store can be reached again. */
export type Heal = () => Promise<void>;

/** Faults that a harness can bring about. Each lasts until it is healed. */
export interface Faults {
  /** Nothing passes, in either direction, and nobody is told. */
  partition?(): Promise<Heal>;
  /** Requests arrive and are carried out; what comes back is lost. */
  dropReplies?(): Promise<Heal>;
  /** What passes takes `ms` longer. */
  delay?(ms: number): Promise<Heal>;
  /**
   * The store hangs: what was sent is carried out when it goes on. Resolves once it answers nothing any more.
   */
  pause?(): Promise<Heal>;
  /** The store is killed and started again, over what it kept. Resolves once it answers. */
  restart?(): Promise<void>;
}

/** The name of a fault. */
export type Fault = keyof Faults;

/**
 * What a backend may declare or not: that several processes may share the store, that entries have a time to
 * live, and so on.
 */
export type Capability = "severalProcesses" | "ttl" | "watch" | "commitAcrossChannels";

/** What a harness may offer or not. */
export type Facility = Fault | "advance" | "direct" | "remote" | "roundTrips";

const FAULTS: readonly string[] = ["partition", "dropReplies", "delay", "pause", "restart"];
const CAPABILITIES: readonly string[] = ["severalProcesses", "ttl", "watch", "commitAcrossChannels"];

/** What `needs` a case has, that `supports` does not declare. */
export function undeclared(needs: readonly (Capability | Facility)[], supports: Supports): Capability | undefined {
  return needs.find((need): need is Capability => isCapability(need) && !declares(supports, need));
}

function declares(supports: Supports, capability: Capability): boolean {
  return capability === "severalProcesses" ? supports.shared !== "process" : supports[capability];
}

/** What `needs` a case has, that the harness of `store` does not offer. */
export function missing(needs: readonly (Capability | Facility)[], store: TestStore): Facility | undefined {
  return needs.find((need): need is Facility => !isCapability(need) && !offers(store, need));
}

function isCapability(need: string): need is Capability {
  return CAPABILITIES.includes(need);
}

/** Whether it is a fault that a case asks for, of all that it asks for. */
export function isFault(need: Capability | Facility): need is Fault {
  return FAULTS.includes(need);
}

function offers(store: TestStore, facility: Facility): boolean {
  return isFault(facility) ? store.faults?.[facility] !== undefined : store[facility] !== undefined;
}
