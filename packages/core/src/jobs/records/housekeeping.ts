import { inBackground } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import type { Key } from "../../channel/types.js";
import { chance, Turn, type TurnValue } from "../../locks/sweep/turn.js";
import type { Retaining } from "../../operator/retention.js";
import { type Clock, restBy, systemClock } from "../../util/clock.js";
import type { InMs } from "../../util/duration.js";
import { fieldsOf, isTime } from "../../util/shape.js";
import type { Channels, SeenValue } from "../channels.js";
import type { Logs } from "../logs/logs.js";
import type { RetentionOptions } from "../types.js";
import { closeOrphans, isStale, type OrphanSearch, readSeen, seesAll, writeSeen } from "./close-orphans.js";
import { retain, setRetention } from "./retention-pass.js";
import { fillIndex, type TimeIndex } from "./time-index.js";

/**
 * The pause between two checks, as a multiple of `ttl`: `REST` for a process with a turn, `REST_ALONE` for
 * one that needs no turn. If the process with the turn dies, another one also makes the next check within
 * `REST_ALONE`.
 */
const REST = 7;
const REST_ALONE = 20;

/** When an unrenewed turn is free, and the longest random delay of a check, as multiples of `ttl`. */
const TURN_LIFE = 5;
const JITTER = 1;

/**
 * The least rest after a check, as a multiple of its duration, up to a day. A check of many records must cost
 * the store next to nothing. The limit of a day is for a check that took long only because the process was
 * suspended.
 */
const REST_OF_LOOK = 100;
const DAY = 86_400_000;

const TURN: Key = ["orphans"];

interface HousekeepingOptions {
  readonly index: TimeIndex;
  readonly logs: Logs;
  readonly clock: Clock;
  readonly ttl: number;
  /** The retention that the program sets; `undefined` if it sets none. */
  readonly retention: InMs<RetentionOptions> | false | undefined;
}

/**
 * Maintains the records while a manager lives. Fills the index of an existing store once, and closes open
 * records without a lock: if a store loses the locks, no run must stay open forever. About once a day it
 * deletes old records. One process does it for all processes that see the same locks.
 */
export class Housekeeping {
  readonly #upkeep: Omit<OrphanSearch & Retaining, "mayContinue">;
  readonly #turns: Channel<unknown>;
  readonly #clock: Clock;
  readonly #ttl: number;
  /** `undefined` if other processes cannot see the locks of this one: then it works for itself alone. */
  readonly #turn: Turn | undefined;
  readonly #closing: AbortController = new AbortController();
  /** When the next check is due, for the process with the turn. */
  #due = 0;
  /** When old records are to be deleted, for the process with the turn. */
  #pruneDue = 0;
  #isNew = true;
  #retention: InMs<RetentionOptions> | false | undefined;
  #cancel: () => void = () => {};

  constructor({ jobs, locks, turns }: Channels, { index, logs, clock, ttl, retention }: HousekeepingOptions) {
    this.#turns = turns as Channel<unknown>;
    const signal = this.#closing.signal;
    this.#upkeep = { jobs, locks, turns: this.#turns, index, logs, clock, signal, now: () => clock.now() };
    this.#clock = clock;
    this.#ttl = ttl;
    this.#retention = retention;
    const alone = jobs.supports.shared === "process" && clock === systemClock;
    if (!alone && seesAll(jobs, locks)) this.#turn = new Turn(turns, clock, TURN, TURN_LIFE * ttl);
  }

  /** Checks now unless another process does, and again after each rest. */
  begin(): void {
    void this.#upkeepInTurn().then((rest) => this.#restFor(rest));
  }

  close(): void {
    this.#closing.abort();
    this.#cancel();
  }

  #restFor(ms: number): void {
    if (this.#closing.signal.aborted) return;
    const jitter = JITTER * this.#ttl * chance(this.#clock);
    const rest = restBy(this.#clock, ms + jitter);
    this.#cancel = this.#clock.after(rest, () => void this.#upkeepInTurn().then((rest) => this.#restFor(rest)));
  }

  /** Checks if this process has the turn. Resolves to the time until the next call, in ms. */
  async #upkeepInTurn(): Promise<number> {
    await inBackground(() => this.#setRetention());
    const turn = this.#turn;
    if (turn === undefined) {
      await this.#upkeepNow(async () => true);
      return this.#left();
    }
    let hasTurn = false;
    await inBackground(async () => {
      hasTurn = await turn.hold(this.#isNew && (await this.#isNeglected()));
      this.#isNew = false;
    });
    if (hasTurn && this.#left() <= 0) await this.#upkeepNow(() => turn.keep());
    if (!hasTurn) return Math.max(turn.left(), this.#ttl);
    return Math.max(0, Math.min(this.#left(), turn.left() - (TURN_LIFE / 2) * this.#ttl));
  }

  /** Writes the setting only once, so that the program that was opened last decides. */
  async #setRetention(): Promise<void> {
    if (this.#retention === undefined) return;
    await setRetention(this.#turns, this.#retention);
    this.#retention = undefined;
    this.#pruneDue = 0;
  }

  /**
   * Whether no process checks the records, by the wall clocks of the others. Called once: a process that
   * lives longer sees the turn of a dead process become free. A short-lived process, such as one that cron
   * starts, does not.
   */
  async #isNeglected(): Promise<boolean> {
    const now = this.#clock.now();
    if (!isStale(await readSeen(this.#turns), now, this.#ttl)) return false;
    const at = fieldsOf<TurnValue>(await unlessCorrupt(this.#turns.get(TURN)))?.at;
    return !isTime(at) || now > at + TURN_LIFE * this.#ttl || now < at - DAY;
  }

  #left(): number {
    return this.#due - this.#clock.monotonic();
  }

  async #upkeepNow(mayContinue: () => Promise<boolean>): Promise<void> {
    const look = { ...this.#upkeep, mayContinue };
    const began = this.#clock.monotonic();
    await inBackground(() => fillIndex(look));
    let saw: Omit<SeenValue, "due"> | undefined;
    await inBackground(async () => {
      saw = await closeOrphans(look, await readSeen(this.#turns));
    });
    if (saw !== undefined && this.#clock.monotonic() >= this.#pruneDue)
      await inBackground(async () => {
        const rest = await retain(look);
        this.#pruneDue = this.#clock.monotonic() + rest;
      });
    const ended = this.#clock.monotonic();
    const least = (this.#turn === undefined ? REST_ALONE : REST) * this.#ttl;
    // The duration of a failed check shows how long the store or this process was stalled, not the cost of a
    // check. A long rest after it, with the turn, would keep every process from checking.
    const cost = saw === undefined ? 0 : ended - began;
    const rest = Math.max(least, Math.min(DAY, REST_OF_LOOK * cost));
    this.#due = ended + rest;
    const due = this.#clock.now() + rest;
    // Do not keep the turn after a failed check: another process may reach the locks.
    if (saw === undefined) this.#turn?.giveUp();
    await inBackground(async () => saw && writeSeen(this.#turns, { ...saw, due }));
  }
}
