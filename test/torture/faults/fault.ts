import type { Mode } from "../scene/events.js";
import type { Member } from "../scene/member.js";
import type { HeldBody, Scene } from "../scene/scene.js";
import type { StoreKind } from "../stores/store.js";

/** What a fault did, once it is over. */
export interface Injected {
  /** From when on it is counted how long it took until the lock was had again. */
  readonly since: number;
  /** The names that must be had again. */
  readonly names: readonly string[];
  /** How long that may take, in ms; where nothing is promised, it is measured only. */
  readonly bound?: number;
  /** Whom the fault struck: it counts from when on another one wants the lock. */
  readonly struck?: Member;
  /** The run that must not lose its lock by it. */
  readonly kept?: { readonly member: Member; readonly id: string };
}

/** One thing that goes wrong. */
export interface Fault {
  readonly name: string;
  /** Why it cannot be had; `undefined` if it can. */
  whyNot(kind: StoreKind, mode: Mode): string | undefined;
  readonly smallDisk?: true;
  /** The network of the workers can be made slow. */
  readonly slowNetwork?: true;
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

/**
 * The heartbeat thread opens its connection only when it is needed: under load that takes longer than a short
 * time to live.
 */
export const TTL_FOR_THREAD = 4_000;

/**
 * What time is added to a bound for what is no waiting: a look at the holder's process, a reconnection, the
 * commit itself.
 */
export const MARGIN = 500;

/** Within what a lock is had again whose process is gone, by processes of its host, in ms. */
export const GONE_WITHIN = 1_000;

/** Within what every lock is had again once its store answers again. */
export function storeIsBack(ttl: number): number {
  return 2 * ttl + MARGIN;
}

/** How often a fault is tried that strikes nothing. */
const ATTEMPTS = 20;

/** Makes some worker hold a lock, and tries on it what `strike` does, until it struck it. */
export async function strikeHolder(
  scene: Scene,
  ms: number,
  strike: (held: HeldBody) => Promise<boolean>,
): Promise<HeldBody> {
  for (let i = 0; i < ATTEMPTS; i++) {
    const held = await scene.hold(ms);
    if (await strike(held)) return held;
  }
  throw new Error(`in ${ATTEMPTS} attempts, the fault found nothing to strike`);
}

/** What can be done to the store of the scene. Where it cannot, a fault must say so beforehand. */
export function able<
  K extends "freeze" | "freezeRecords" | "restart" | "fillDisk" | "setWallClock" | "network" | "cluster",
>({ store }: Scene, what: K): NonNullable<Scene["store"][K]> {
  const means = store[what];
  if (means === undefined) throw new Error(`this store has no ${what}`);
  return means as NonNullable<Scene["store"][K]>;
}
