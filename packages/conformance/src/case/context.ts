import { type Channel, openChannel } from "@ojm/core";
import { type Backend, type Clock, type Supports, systemClock } from "@ojm/core/backend";
import type { CallersTransaction, Harness, TestStore } from "../harness/harness.js";
import { openRemote, type RemoteBackend } from "../remote/remote.js";
import { msOf } from "../support/duration.js";
import type { Profile } from "./profile.js";
import type { Random } from "./random.js";
import { Skip } from "./skip.js";

/** What a case works with. The suite closes everything that the case opens here. */
export class CaseContext {
  readonly harness: Harness;
  readonly store: TestStore;
  readonly supports: Supports;
  readonly clock: Clock;
  /** How long to wait for something that must happen, in ms. */
  readonly patience: number;
  readonly random: Random;
  /** The seed of `random`, for cases that use a generator of their own. */
  readonly seed: number;
  /** The name of the channel under test. A case may append to it to name further channels. */
  readonly name: string;
  readonly #profile: Profile | undefined;
  readonly #clients: Set<Backend> = new Set();
  readonly #cleanUps: (() => unknown)[] = [];
  #main: Promise<Backend> | undefined;
  #names = 0;
  #over = false;

  constructor(
    parts: Pick<CaseContext, "harness" | "store" | "supports" | "patience" | "random" | "seed" | "name"> & {
      /** Only of a case that may scale. */
      readonly profile: Profile | undefined;
    },
    first: Backend,
  ) {
    this.harness = parts.harness;
    this.store = parts.store;
    this.supports = parts.supports;
    this.#profile = parts.profile;
    this.patience = parts.patience;
    this.random = parts.random;
    this.seed = parts.seed;
    this.name = parts.name;
    this.clock = parts.store.clock ?? systemClock;
    this.#main = Promise.resolve(first);
    this.#clients.add(first);
  }

  /** The first client. All work that needs no client of its own shares it. */
  async main(): Promise<Backend> {
    this.#main ??= this.client();
    return this.#main;
  }

  /** Opens a new client. */
  async client(): Promise<Backend> {
    const client = await this.store.client();
    this.#clients.add(client);
    return client;
  }

  clients(count: number): Promise<Backend[]> {
    return Promise.all(Array.from({ length: count }, () => this.client()));
  }

  /** Opens a client that no fault affects. Throws {@link Skip} if the harness offers none. */
  async direct(): Promise<Backend> {
    const client = await this.store.direct?.();
    if (client === undefined) throw new Skip("the harness has no direct client");
    this.#clients.add(client);
    return client;
  }

  /** Opens a client in a process of its own. Throws {@link Skip} if the harness offers none. */
  async remote(): Promise<RemoteBackend> {
    if (this.store.remote === undefined) throw new Skip("the harness has no clients in other processes");
    const client = await openRemote(this.store.remote);
    this.#clients.add(client);
    return client;
  }

  /** Begins a transaction of a caller. Throws {@link Skip} if the harness offers none. */
  async transaction(): Promise<CallersTransaction> {
    const transaction = await this.store.transaction?.();
    if (transaction === undefined) throw new Skip("the harness has no transactions");
    return transaction;
  }

  /** Closes a client before the case ends. */
  async closeClient(client: Backend): Promise<void> {
    if (client === (await this.#main)) this.#main = undefined;
    this.#clients.delete(client);
    await client.close();
  }

  /** Opens the channel under test, or the channel `name`, through the first client or the client `by`. */
  async channel(options: { readonly by?: Backend; readonly name?: string } = {}): Promise<Channel> {
    const backend = options.by ?? (await this.main());
    const channel = await openChannel(options.name ?? this.name, { backend, clock: this.clock });
    this.later(() => channel.close());
    return channel;
  }

  /** Opens the channel under test through each of `count` new clients. */
  async channels(count: number): Promise<Channel[]> {
    const clients = await this.clients(count);
    return Promise.all(clients.map((by) => this.channel({ by })));
  }

  /** A channel name that was not used yet, for cases that start over several times. */
  freshName(): string {
    return `${this.name}-${++this.#names}`;
  }

  /** Registers work to do after the case. What was registered last runs first. */
  later(cleanUp: () => unknown): void {
    this.#cleanUps.push(cleanUp);
  }

  /** The size for the profile of this run, of a case that declares that it `scales`. */
  scale<Size>(smoke: Size, full: Size, soak: Size): Size {
    if (this.#profile === undefined) throw new Error("a case that calls scale() must declare: scales: true");
    return { smoke, full, soak }[this.#profile];
  }

  /** The longest that a call may take while the store cannot be reached, in ms. */
  get deadline(): number {
    return msOf("deadline", this.harness.deadline ?? 15_000);
  }

  /** How long to wait for the store to recover from a fault, in ms. */
  get recovery(): number {
    return 3 * this.patience;
  }

  /** Lets at least `ms` pass for the store. */
  async elapse(ms: number): Promise<void> {
    if (this.store.advance !== undefined) return this.store.advance(ms);
    await sleep(ms);
  }

  /**
   * Yields to the event loop. Call it in loops that repeat until they succeed: with a faulty store they might
   * never end. Throws once the case is over.
   */
  async breathe(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#over) throw new Error("the case is over");
  }

  /**
   * Waits until `condition` holds. Does not move the clock of the store. Throws after `cap` ms of real time.
   */
  async until(what: string, condition: () => boolean | Promise<boolean>, cap: number = this.patience): Promise<void> {
    await this.#poll(what, condition, cap, () => sleep(1));
  }

  /**
   * Waits until `condition` holds, and lets time pass for the store meanwhile. Throws after `cap` ms of real
   * time.
   */
  async elapseUntil(
    what: string,
    condition: () => boolean | Promise<boolean>,
    cap: number = this.patience,
  ): Promise<void> {
    await this.#poll(what, condition, cap, () => this.elapse(5));
  }

  async #poll(
    what: string,
    condition: () => boolean | Promise<boolean>,
    cap: number,
    pause: () => Promise<void>,
  ): Promise<void> {
    const end = performance.now() + cap;
    while (!(await condition())) {
      if (this.#over) throw new Error("the case is over");
      if (performance.now() > end) throw new Error(`waited ${cap} ms in vain: ${what}`);
      await pause();
    }
  }

  /**
   * Resolves to what `work` resolves to, and lets time pass for the store meanwhile. Use it for work that
   * waits for timers.
   */
  async whileTimePasses<T>(work: Promise<T>): Promise<T> {
    let pending = true;
    const done = (): void => {
      pending = false;
    };
    work.then(done, done);
    await this.elapseUntil("the work ended", () => !pending, 6 * this.patience);
    return work;
  }

  /** @internal Called once by the runner. Resolves to the errors of the cleanup. */
  async cleanUp(): Promise<unknown[]> {
    this.#over = true;
    const errors: unknown[] = [];
    const attempt = async (work: () => unknown): Promise<void> => {
      try {
        await work();
      } catch (error) {
        errors.push(error);
      }
    };
    for (const cleanUp of this.#cleanUps.reverse()) await attempt(cleanUp);
    await Promise.all([...this.#clients].map((client) => attempt(() => client.close())));
    return errors;
  }
}

/** Waits for `ms` of real time. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
