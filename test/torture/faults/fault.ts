import type { Mode } from "../events.js";
import type { Scene } from "../scene.js";
import type { StoreKind } from "../stores/store.js";

/** What a fault did, once it is over. */
export interface Injected {
  /** From when on it is counted how long it took until the lock was had again. */
  readonly since: number;
  /** The names that must be had again. */
  readonly names: readonly string[];
  /** How long that may take, in ms; where nothing is promised, it is measured only. */
  readonly bound?: number;
}

/** One thing that goes wrong. */
export interface Fault {
  readonly name: string;
  /** Why it cannot be had; `undefined` if it can. */
  whyNot(kind: StoreKind, mode: Mode): string | undefined;
  readonly smallDisk?: true;
  /** Whose wall clock is set. */
  readonly fakeClock?: "workers" | "server";
  /** With the heartbeat thread, whose renewals cannot be observed: when a lease ends is not known then. */
  readonly plain?: true;
  /** The least time to live for which it makes sense, in ms. */
  readonly ttl?: number;
  inject(scene: Scene): Promise<Injected | undefined>;
}

export const ONE_PROCESS = "n/a: one process";
export const NO_SERVER = "n/a: no server";

/** The heartbeat thread opens its connection only when it is needed: under load that takes longer than a short time to live. */
export const TTL_FOR_THREAD = 4_000;

/** What time is added to a bound for what is no waiting: a look at the holder's process, a reconnection, the commit itself. */
export const MARGIN = 500;
