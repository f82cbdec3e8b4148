import { inBackground } from "../../channel/calls/background.js";
import type { Channel } from "../../channel/channel.js";
import type { LocksValue } from "../../locks/entries/schema.js";
import { chance, Turn } from "../../locks/sweep/turn.js";
import { type Clock, systemClock } from "../../util/clock.js";
import type { Channels } from "../channels.js";
import type { RunRecord } from "../types.js";
import { closeOrphanRecords, seesAll } from "./orphans.js";

/**
 * The rest between two looks, in times to live: with a turn, and without. A process that takes over the turn
 * of a dead one also looks within the second.
 */
const REST = 7;
const REST_ALONE = 20;

/** When a turn that nobody keeps is free, and the most random delay of a look, in times to live. */
const LIFE = 5;
const JITTER = 1;

/**
 * The least rest after a look, as a multiple of its duration, up to a day. A look reads all names, and must
 * cost a large store next to nothing. The limit of a day covers a look during which the process was
 * suspended.
 */
const REST_OF_LOOK = 100;
const DAY = 86_400_000;

/**
 * Closes open records without a lock, while a manager lives. If a store loses the locks, no run must stay
 * open for ever. Each look reads all names, so one process looks for all that see the same locks.
 */
export class OrphanRecords {
  readonly #jobs: Channel<RunRecord>;
  readonly #locks: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #ttl: number;
  /** `undefined` if other processes cannot see the locks of this one: it then looks for itself alone. */
  readonly #turn: Turn | undefined;
  readonly #closing: AbortController = new AbortController();
  /** When the next look is due, for the process with the turn. */
  #due = 0;
  #cancel: () => void = () => {};

  constructor({ jobs, locks, turns }: Channels, clock: Clock, ttl: number) {
    this.#jobs = jobs;
    this.#locks = locks;
    this.#clock = clock;
    this.#ttl = ttl;
    const alone = jobs.supports.shared === "process" && clock === systemClock;
    if (!alone && seesAll(jobs, locks)) this.#turn = new Turn(turns, clock, ["orphans"], LIFE * ttl);
  }

  /** Looks now, and again after each rest. */
  begin(): void {
    void this.#look(async () => true).then(() => this.#restFor(this.#turn === undefined ? this.#left() : 0));
  }

  close(): void {
    this.#closing.abort();
    this.#cancel();
  }

  #restFor(ms: number): void {
    if (this.#closing.signal.aborted) return;
    const jitter = JITTER * this.#ttl * chance(this.#clock);
    this.#cancel = this.#clock.after(ms + jitter, () => void this.#lookInTurn().then((rest) => this.#restFor(rest)));
  }

  /** Looks if this process has the turn. Resolves to the time until the next call, in ms. */
  async #lookInTurn(): Promise<number> {
    const turn = this.#turn;
    if (turn === undefined) {
      await this.#look(async () => true);
      return this.#left();
    }
    let hasTurn = false;
    await inBackground(async () => {
      hasTurn = await turn.hold();
    });
    if (hasTurn && this.#left() <= 0) await this.#look(() => turn.keep());
    if (!hasTurn) return Math.max(turn.left(), this.#ttl);
    return Math.max(0, Math.min(this.#left(), turn.left() - (LIFE / 2) * this.#ttl));
  }

  #left(): number {
    return this.#due - this.#clock.monotonic();
  }

  async #look(goesOn: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#closing;
    const began = this.#clock.monotonic();
    await inBackground(() => closeOrphanRecords(this.#jobs, this.#locks, () => this.#clock.now(), signal, goesOn));
    const ended = this.#clock.monotonic();
    const least = (this.#turn === undefined ? REST_ALONE : REST) * this.#ttl;
    this.#due = ended + Math.max(least, Math.min(DAY, REST_OF_LOOK * (ended - began)));
  }
}
