import type { Mode } from "../scene/events.js";
import type { Member } from "../scene/member.js";
import type { HeldBody, Scene } from "../scene/scene.js";
import type { StoreKind } from "../stores/store.js";

/** The effect of a fault, once it is over. */
export interface Injected {
  /** When the recovery time begins. It ends when the lock is taken again. */
  readonly since: number;
  /** The names that must be locked again. */
  readonly names: readonly string[];
  /** The longest that recovery may take, in ms. Where nothing is promised, it is only measured. */
  readonly bound?: number;
  /** The worker that the fault struck. Recovery counts from when another worker wants the lock. */
  readonly struck?: Member;
  /** The run that must keep its lock through the fault. */
  readonly kept?: { readonly member: Member; readonly id: string };
}

/** A kind of fault. */
export interface Fault {
  readonly name: string;
  /** Why the fault does not apply; `undefined` if it does. */
  whyNot(kind: StoreKind, mode: Mode): string | undefined;
  readonly smallDisk?: true;
  /** The links of the workers must be able to be slow. */
  readonly slowNetwork?: true;
  /** Whose wall clock the fault sets. */
  readonly fakeClock?: "workers" | "server";
  /**
   * Runs the workers with the heartbeat thread. Its renewals cannot be observed, so the end of a lease is not
   * known.
   */
  readonly plain?: true;
  /** The shortest time to live for which the fault makes sense, in ms. */
  readonly ttl?: number;
  inject(scene: Scene): Promise<Injected | undefined>;
}

export const ONE_PROCESS = "n/a: one process";
export const NO_SERVER = "n/a: no server";

/**
 * A time to live for the heartbeat thread, in ms. The thread opens its connection only when it is needed,
 * which under load takes longer than a short time to live.
 */
export const TTL_FOR_THREAD = 4_000;

/**
 * Added to a bound, in ms, for the work besides waiting: a check of the holder's process, a reconnection, the
 * commit itself.
 */
export const MARGIN = 500;

/** Within how many ms the processes of a host take the lock of a process of it that is gone. */
export const GONE_WITHIN = 1_000;

/** Within how many ms every lock is taken again once its store answers again. */
export function storeIsBack(ttl: number): number {
  return 2 * ttl + MARGIN;
}

/** How often a fault is attempted if it finds nothing to strike. */
const ATTEMPTS = 20;

/**
 * Makes a worker hold a lock and calls `strike`, until that resolves to true. Throws after {@link ATTEMPTS}
 * attempts.
 */
export async function strikeHolder(
  scene: Scene,
  ms: number,
  strike: (held: HeldBody) => Promise<boolean>,
): Promise<HeldBody> {
  for (let i = 0; i < ATTEMPTS; i++) {
    const held = await scene.hold(ms);
    if (await strike(held)) return held;
    scene.letGo(held.member);
  }
  throw new Error(`in ${ATTEMPTS} attempts, the fault found nothing to strike`);
}

/**
 * What the harness can do to the store of the scene. Throws if the store cannot: the fault must say so by
 * `whyNot` first.
 */
export function able<
  K extends
    | "loseJoined"
    | "freeze"
    | "freezeRecords"
    | "restart"
    | "fillDisk"
    | "setWallClock"
    | "network"
    | "cluster"
    | "postgres",
>({ store }: Scene, what: K): NonNullable<Scene["store"][K]> {
  const means = store[what];
  if (means === undefined) throw new Error(`this store has no ${what}`);
  return means as NonNullable<Scene["store"][K]>;
}
