import type { Channel } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import type { Key, Op, Version } from "../../channel/types.js";
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

/** The number of the next token of a rate, as the store has it. */
export interface NextToken {
  readonly next: number;
  readonly keep: number;
  readonly version: Version | null;
}

/** A rate as it was last read, for one run that is to start. */
export class Rate {
  readonly terms: RateTerms;
  readonly #locks: Channel<unknown>;
  #known: NextToken = { next: 0, keep: 0, version: null };
  /** In ms; `undefined`: not read, so the commit finds out. */
  #rest: number | undefined;

  constructor(locks: Channel<unknown>, terms: RateTerms) {
    this.#locks = locks;
    this.terms = terms;
  }

  /** The time until the next run may begin, in ms, as last read. 0: now. */
  get rest(): number {
    return this.#rest ?? 0;
  }

  /** How long the first in line waits before it reads the rate again, in ms. */
  get pause(): number {
    return Math.min(Math.max(this.rest, SHORTEST_PAUSE), LONGEST_PAUSE);
  }

  /** Reads the number of the next token alone: most runs find their token free. */
  async readNext(): Promise<void> {
    const entry = await unlessCorrupt(this.#locks.entry(rateKey(this.terms.name)));
    const { next, keep } = isRate(entry?.value) ? entry.value : { next: 0, keep: 0 };
    this.assume({ next, keep, version: entry?.version ?? null });
  }

  /** Takes over what another run has written. If it is outdated, the commit fails. */
  assume(next: NextToken): void {
    [this.#known, this.#rest] = [next, undefined];
  }

  /** The pause is over: the commit finds out whether a token is free. */
  paused(): void {
    this.#rest = undefined;
  }

  /** What a start with this fence has written. */
  after(fence: Version): NextToken {
    const { next, keep } = this.#known;
    return { next: next + 1, keep: Math.max(this.terms.per, keep), version: fence };
  }

  /** A version that the rate has or had; `null`: none is known. */
  get some(): Version | null {
    return this.#known.version;
  }

  /** Reads when the next run may begin. Resolves to whether another run has begun since the last read. */
  async read(): Promise<boolean> {
    const { max, per } = this.terms;
    const before = this.#known.version;
    await this.readNext();
    const oldest = this.#known.next - max;
    const entry = oldest < 0 ? undefined : await unlessCorrupt(this.#locks.entry(this.#tokenKey(oldest)));
    // A token without an end is not ours: it would stop all runs for good.
    const isOurs = isToken(entry?.value) && entry.expiresIn !== undefined;
    // A run with a longer window may have written it.
    this.#rest = isOurs ? Math.max(0, per - (entry.value.per - (entry.expiresIn ?? 0))) : 0;
    return this.#known.version !== before;
  }

  /** The checks and writes that take a token. They fail if none is free. */
  ops(run: string): Op<unknown>[] {
    const { name, max, per } = this.terms;
    const { next, version } = this.#known;
    const keep = Math.max(per, this.#known.keep);
    const ops: Op<unknown>[] = [
      { check: rateKey(name), version },
      { put: rateKey(name), value: { next: next + 1, keep }, ttl: keep + MARGIN },
      { put: this.#tokenKey(next), value: { run, per }, ttl: per },
    ];
    // Once it was read, the check of the number is enough: only a start writes tokens.
    if (this.#rest !== 0 && next >= max) ops.push({ check: this.#tokenKey(next - max), version: null });
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
