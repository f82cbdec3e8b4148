import type { Lease } from "../../locks/hold/lease.js";
import { whenAborted } from "../../util/abort.js";
import type { Clock } from "../../util/clock.js";
import type { NextToken } from "./rates.js";

/** How long runs of one process may start before the next process has its turn, in ms. */
const TURN = 200;

/** The most names of waiting runs in the note of the place in line. */
const NAMED = 20;

/** The turn of a run to take a token. */
export interface Turn {
  /** The number of the next token, if a run of this process has just taken the one before. */
  readonly next: NextToken | undefined;
  /** Ends the turn. `next`: what the start of the run has written. */
  end(next: NextToken | undefined): void;
}

interface Waiting {
  readonly name: string;
  begin(): void;
}

/**
 * The runs of this process that wait for one rate. They have one place in the line in the store, and take
 * turns at it: with a place for each, a thousand waiting runs would write a thousand tickets again and again.
 */
export class OwnLine {
  readonly #clock: Clock;
  readonly #waiting: Set<Waiting> = new Set();
  #isTaken = false;
  #lease: Lease | undefined;
  #until = 0;
  #next: NextToken | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether no run has the turn or waits for it. */
  get isEmpty(): boolean {
    return !this.#isTaken;
  }

  /**
   * Resolves once it is the turn of the run; to `undefined` once `over` fires. `acquire` takes the place in
   * the line in the store, for these waiting runs.
   */
  async enter(
    name: string,
    over: AbortSignal,
    acquire: (names: readonly string[]) => Promise<Lease>,
  ): Promise<Turn | undefined> {
    if (this.#isTaken && !(await this.#waits(name, over))) return undefined;
    this.#isTaken = true;
    const isKept = this.#lease?.signal.aborted === false && this.#clock.monotonic() < this.#until;
    try {
      if (!isKept) {
        this.#release();
        const names = [...this.#waiting].slice(0, NAMED).map((one) => one.name);
        this.#lease = await acquire(names);
        this.#until = this.#clock.monotonic() + TURN;
      }
    } catch (error) {
      this.#pass();
      throw error;
    }
    const next = this.#next;
    let isOver = false;
    const end = (written: NextToken | undefined): void => {
      if (isOver) return;
      isOver = true;
      this.#next = written;
      this.#pass();
    };
    return { next, end };
  }

  /** Resolves to whether it is the turn of this run: not if `over` fires first. */
  #waits(name: string, over: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = { name, begin: (): void => settle(true) };
      const forget = whenAborted(over, () => settle(false));
      const settle = (isTurn: boolean): void => {
        forget();
        this.#waiting.delete(waiting);
        resolve(isTurn);
      };
      this.#waiting.add(waiting);
      if (over.aborted) settle(false);
    });
  }

  #pass(): void {
    const [first] = this.#waiting;
    // The turn stays taken meanwhile: a newcomer must not pass.
    if (first !== undefined) first.begin();
    else {
      this.#isTaken = false;
      this.#release();
    }
  }

  #release(): void {
    // If the store does not answer, the next heartbeat repeats it.
    void this.#lease?.release().catch(() => {});
    this.#lease = undefined;
    this.#next = undefined;
  }
}

/** The lines of the rates of this process. */
export class OwnLines {
  readonly #clock: Clock;
  readonly #lines: Map<string, OwnLine> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(rate: string): OwnLine {
    // Rates may have the names of tenants: keep no line that no run uses.
    for (const [name, line] of this.#lines) if (name !== rate && line.isEmpty) this.#lines.delete(name);
    const known = this.#lines.get(rate) ?? new OwnLine(this.#clock);
    this.#lines.set(rate, known);
    return known;
  }
}
