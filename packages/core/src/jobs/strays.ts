import { inBackground } from "../background.js";
import type { Channel } from "../channel/channel.js";
import { type Clock, systemClock } from "../clock.js";
import type { Locks } from "../locks/locks.js";
import { chance, Turn, type TurnValue } from "../locks/turn.js";
import { closeStrays, seesAll } from "./orphans.js";
import type { RunRecord } from "./types.js";

/**
 * How long records without a lock are left until the next look for them, in times to live: by the one who has the turn to look, and by one who has no
 * need of a turn. Whoever takes the turn of one that died looks within the second of them, too.
 */
const REST = 7;
const REST_ALONE = 20;

/** When a turn is free that nobody keeps, in times to live; and how much later, at most, somebody looks for it. */
const LIFE = 5;
const JITTER = 1;

/**
 * And in times of what the last look took, up to a day, as it may have been paused: one goes through all names, and must cost a store that has very
 * many of them next to nothing.
 */
const REST_OF_LOOK = 100;
const DAY = 86_400_000;

/**
 * Closes records that are open without a lock, for as long as a manager lives: a store that loses the locks must leave no run open for ever either.
 * Each look goes through all names, so one process looks for all that see the same locks.
 */
export class Strays {
  readonly #jobs: Channel<RunRecord>;
  readonly #locks: Locks;
  readonly #clock: Clock;
  readonly #ttl: number;
  /** `undefined` for one whose locks others cannot see: it must not look for them, nor they for it. */
  readonly #turn: Turn | undefined;
  readonly #closing: AbortController = new AbortController();
  /** When the next look is due, by whoever has the turn. */
  #due = 0;
  #cancel: () => void = () => {};

  constructor(jobs: Channel<RunRecord>, locks: Locks, turns: Channel<TurnValue>, clock: Clock, ttl: number) {
    this.#jobs = jobs;
    this.#locks = locks;
    this.#clock = clock;
    this.#ttl = ttl;
    const alone = jobs.supports.shared === "process" && clock === systemClock;
    if (!alone && seesAll(jobs, locks)) this.#turn = new Turn(turns, clock, ["strays"], LIFE * ttl);
  }

  /** Looks now, and from then on. */
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

  /** Resolves to how long to rest. */
  async #lookInTurn(): Promise<number> {
    const turn = this.#turn;
    if (turn === undefined) {
      await this.#look(async () => true);
      return this.#left();
    }
    let mine = false;
    await inBackground(async () => {
      mine = await turn.hold();
    });
    if (mine && this.#left() <= 0) await this.#look(() => turn.keep());
    if (!mine) return Math.max(turn.left(), this.#ttl);
    return Math.max(0, Math.min(this.#left(), turn.left() - (LIFE / 2) * this.#ttl));
  }

  #left(): number {
    return this.#due - this.#clock.monotonic();
  }

  async #look(goesOn: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#closing;
    const began = this.#clock.monotonic();
    await inBackground(() => closeStrays(this.#jobs, this.#locks, () => this.#clock.now(), signal, goesOn));
    const ended = this.#clock.monotonic();
    const least = (this.#turn === undefined ? REST_ALONE : REST) * this.#ttl;
    this.#due = ended + Math.max(least, Math.min(DAY, REST_OF_LOOK * (ended - began)));
  }
}
