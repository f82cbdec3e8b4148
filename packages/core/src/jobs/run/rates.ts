import type { Channel } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import type { Entry, Key, Op, Version } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { durationText } from "../../util/duration.js";
import { fieldsOf, isCount, isSpan, isText } from "../../util/shape.js";
import { visible } from "../../util/text.js";
import type { RateTerms } from "../types.js";

/*
 * A rate limits how many runs begin in any window of time. Its entries are in the channel of the locks:
 *   ["rate", NAME]      the number of the next token
 *   ["rate", NAME, N]   a token: the commit that takes the lock of a run writes it. Its time to live is one
 *                       window, so the store's clock decides how long it counts
 *
 * The tokens are numbered in the order of the starts. If at most M runs may begin in a window, the token N
 * may be written once the token N - M is gone. So a start reads two entries, however large M is, and each
 * run applies its own M: a new version of a program may have another one.
 *
 * Each start replaces the entry with the next number, at its version. So two starts never use one number.
 */

/** How much longer than all tokens their next number stays, in ms: without it, they would not be found. */
const MARGIN = 60_000;

/** The longest pause between two checks of a token, in ms: a person may have deleted it. */
const LONGEST_PAUSE = 30_000;

/** The shortest pause, in ms: a store may delete an expired token late. */
const SHORTEST_PAUSE = 5;

/** How many tokens are read at once: the runs of a process that follow each other wait for them. */
const AHEAD = 16;

/** The end of a token that does not count. */
const GONE = Number.NEGATIVE_INFINITY;

/** The number of the next token, and how long the longest-lived token counts, in ms. */
interface RateValue {
  readonly next: number;
  readonly keep: number;
}

/** The token of a run. `per`: how long it counts, in ms. */
interface TokenValue {
  readonly run: string;
  readonly per: number;
}

const rateKey = (name: string): Key => ["rate", name];

const tokenKey = (name: string, n: number): Key => ["rate", name, n];

export function isRate(value: unknown): value is RateValue {
  const { next, keep } = fieldsOf<RateValue>(value) ?? {};
  return isCount(next) && isSpan(keep);
}

export function isToken(value: unknown): value is TokenValue {
  const { run, per } = fieldsOf<TokenValue>(value) ?? {};
  return isText(run) && isSpan(per);
}

/** The name of the lock at which runs wait in line for a rate. */
export const lineOfRate = (rate: string): string => `ojm rate ${rate}`;

/** A rate as it was last read, for one run that is to start. */
export class Rate {
  readonly terms: RateTerms;
  readonly #locks: Channel<unknown>;
  readonly #clock: Pick<Clock, "monotonic">;
  #next = 0;
  #keep = 0;
  #version: Version | null = null;
  /** When tokens end, by their numbers, by the monotonic clock. In the past: it did not count when read. */
  #ends: ReadonlyMap<number, number> = new Map();

  constructor(locks: Channel<unknown>, terms: RateTerms, clock: Pick<Clock, "monotonic">) {
    this.#locks = locks;
    this.terms = terms;
    this.#clock = clock;
  }

  /** The token that must be gone before the next run begins; below 0: none. */
  get #oldest(): number {
    return this.#next - this.terms.max;
  }

  /** Whether the time until the next run may begin is known. If not, the commit finds out. */
  get isKnown(): boolean {
    return this.#oldest < 0 || this.#ends.has(this.#oldest);
  }

  /** The time until the next run may begin, in ms, as last read. 0: now. */
  get rest(): number {
    return Math.max(0, (this.#ends.get(this.#oldest) ?? GONE) - this.#clock.monotonic());
  }

  /** How long the first in line waits before it reads the rate again, in ms. */
  get pause(): number {
    return Math.min(Math.max(this.rest, SHORTEST_PAUSE), LONGEST_PAUSE);
  }

  /** Reads the number of the next token alone: most runs find their token free. */
  async readNext(): Promise<void> {
    const entry = await unlessCorrupt(this.#locks.entry(rateKey(this.terms.name)));
    const { next, keep } = isRate(entry?.value) ? entry.value : { next: 0, keep: 0 };
    [this.#next, this.#keep, this.#version, this.#ends] = [next, keep, entry?.version ?? null, new Map()];
  }

  /** A start with this fence took a token. */
  taken(fence: Version): void {
    this.#next++;
    this.#keep = Math.max(this.terms.per, this.#keep);
    this.#version = fence;
  }

  /** Takes over what another run of this process knows. If it is outdated, the commit fails. */
  assume(known: Rate): void {
    [this.#next, this.#keep, this.#version] = [known.#next, known.#keep, known.#version];
    this.#ends = known.terms.per === this.terms.per ? known.#ends : new Map();
  }

  /** A version that the rate has or had; `null`: none is known. */
  get some(): Version | null {
    return this.#version;
  }

  /** Reads when the next run may begin. Resolves to whether another run has begun since the last read. */
  async read(): Promise<boolean> {
    const before = this.#version;
    await this.readNext();
    await this.readTokens();
    return this.#version !== before;
  }

  /** Reads the tokens whose ends the next runs wait for. */
  async readTokens(): Promise<void> {
    const oldest = this.#oldest;
    if (oldest < 0) return;
    const numbers = Array.from({ length: Math.min(AHEAD, this.terms.max) }, (_, i) => oldest + i);
    const keys = numbers.map((n) => this.#tokenKey(n));
    const one = (key: Key): Promise<Entry<unknown> | undefined> => unlessCorrupt(this.#locks.entry(key));
    const found = (await unlessCorrupt(this.#locks.entriesUnder(keys))) ?? (await Promise.all(keys.map(one)));
    const now = this.#clock.monotonic();
    this.#ends = new Map(numbers.map((n, i) => [n, this.#endOf(found[i], now)]));
  }

  #endOf(entry: Entry<unknown> | undefined, now: number): number {
    // A token without an end is not ours: it would stop all runs for good.
    if (!isToken(entry?.value) || entry.expiresIn === undefined) return GONE;
    // A run with a longer window may have written it.
    const end = this.terms.per - (entry.value.per - entry.expiresIn);
    return end > 0 ? now + end : GONE;
  }

  /** The checks and writes that take a token. They fail if none is free. */
  ops(run: string): Op<unknown>[] {
    const { name, max, per } = this.terms;
    const next = this.#next;
    const keep = Math.max(per, this.#keep);
    const ops: Op<unknown>[] = [
      { check: rateKey(name), version: this.#version },
      { put: rateKey(name), value: { next: next + 1, keep }, ttl: keep + MARGIN },
      { put: this.#tokenKey(next), value: { run, per }, ttl: per },
    ];
    // Once it was gone, the check of the number is enough: only a start writes tokens.
    if (next >= max && this.#ends.get(next - max) !== GONE)
      ops.push({ check: this.#tokenKey(next - max), version: null });
    return ops;
  }

  #tokenKey(n: number): Key {
    return tokenKey(this.terms.name, n);
  }
}

/** When the next run of a rate may begin, in words. */
export function usedUpText({ terms: { name, max, per }, rest }: Rate): string {
  const runs = max === 1 ? "one run has" : `${max} runs have`;
  return `${runs} begun within ${durationText(per)}, as many as the rate "${visible(name)}" allows: the next may begin in ${durationText(rest)}`;
}
