import type { Clock, Holder, Key } from "@ojm/core";
import { type Followed, identityOf, inBackground, isHolder, processIsGone } from "@ojm/core/internal";
import type { MemberValue, SchedulesValue } from "../store/schema.js";
import { isMember } from "../store/valid.js";

/** How often the processes of this host are checked, in ms. A check calls the system, not the store. */
const CHECK_INTERVAL = 1_000;

/** Options of {@link Neighbours}. */
export interface NeighboursOptions {
  /** This scheduler. */
  readonly self: Holder;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * Called in one of the living schedulers of this host when others have died. `gone`: the instances of those
   * that are certainly dead. The rest may be in another pid namespace.
   */
  onDeath(gone: readonly string[]): Promise<unknown>;
}

/**
 * Notices within a second that another scheduler of this host died. Otherwise its death would be known only
 * when its session expires, as on other hosts: its killed run would be retried a `ttl` later, and its ticks
 * would be late until it no longer counts as a member.
 */
export class Neighbours implements Followed<SchedulesValue> {
  readonly #options: NeighboursOptions;
  /** The living schedulers, by instance. */
  readonly #living: Map<string, MemberValue> = new Map();
  /** The schedulers that are dead, or in another pid namespace, until their entries are gone. */
  readonly #dead: Set<string> = new Set();
  #cancel: (() => void) | undefined;

  constructor(options: NeighboursOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#cancel?.());
  }

  put(key: Key, value: SchedulesValue): void {
    const [, instance, part] = key as readonly (string | number)[];
    if (typeof instance !== "string" || part !== undefined || !isMember(value) || !isHolder(value.by)) return;
    const { self } = this.#options;
    const isNear = value.by.host === self.host && value.by.pid !== self.pid;
    if (!isNear || this.#dead.has(instance)) return;
    this.#living.set(instance, value);
    this.#arm();
  }

  gone(key: Key): void {
    const [, instance, part] = key as readonly (string | number)[];
    if (part !== undefined) return;
    this.#living.delete(String(instance));
    this.#dead.delete(String(instance));
  }

  synced(): void {}

  #arm(): void {
    const { clock, signal } = this.#options;
    if (this.#cancel !== undefined || this.#living.size === 0 || signal.aborted) return;
    this.#cancel = clock.after(CHECK_INTERVAL, () => {
      this.#cancel = undefined;
      this.#look();
      this.#arm();
    });
  }

  #look(): void {
    const dead = [...this.#living].filter(([, { by }]) => identityOf(by.pid).started === "gone");
    for (const [instance] of dead) {
      this.#living.delete(instance);
      this.#dead.add(instance);
    }
    const { self, onDeath } = this.#options;
    const isFirst = [...this.#living.keys()].every((instance) => self.instance < instance);
    if (dead.length === 0 || !isFirst) return;
    const gone = dead.flatMap(([instance, { process }]) =>
      process !== undefined && processIsGone(process) ? [instance] : [],
    );
    void inBackground(() => onDeath(gone).catch((error) => this.#lookAgain(dead, error)));
  }

  /** The store did not answer: the next check finds the dead ones again. */
  #lookAgain(dead: readonly (readonly [instance: string, member: MemberValue])[], error: unknown): never {
    for (const [instance, member] of dead) {
      if (this.#dead.delete(instance)) this.#living.set(instance, member);
    }
    this.#arm();
    throw error;
  }
}
