import type { Channel } from "../../channel/channel.js";
import { entriesUnlessCorrupt, unlessCorrupt } from "../../channel/corrupt.js";
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
 *
 * If the wall clock of the store was set back, tokens stay that much longer. Such a token has more time left
 * than a window. A process that has seen it for the longest window knows that it counts no more, and neither
 * does any token from before the first look. Its next start writes their end, `from`, for all others. No
 * single look can know this: the entries do not say since when they are there.
 */

/** How much longer than all tokens their next number stays, in ms: without it, they would not be found. */
const MARGIN = 60_000;

/** The longest pause between two checks of a token, in ms: a person may have deleted it. */
const LONGEST_PAUSE = 30_000;

/** The shortest pause, in ms: a store may delete an expired token late. */
const SHORTEST_PAUSE = 5;

/** How many tokens are read at once: the runs of a process that follow each other wait for them. */
const AHEAD = 16;

/** The most rates whose tokens stay too long that a process remembers. */
const MOST_SEEN = 1_000;

/** The end of a token that does not count. */
const GONE = Number.NEGATIVE_INFINITY;

/**
 * The number of the next token, and how long the longest-lived token counts, in ms. `from`: tokens with lower
 * numbers count no more, although they are in the store.
 */
interface RateValue {
  readonly next: number;
  readonly keep: number;
  readonly from?: number;
}

/** Tokens that stay too long: those below `before`, and no newer than `version`. They count until `end`. */
export interface Outstaying {
  readonly before: number;
  readonly version: Version;
  readonly end: number;
}

/** The token of a run. `per`: how long it counts, in ms. */
interface TokenValue {
  readonly run: string;
  readonly per: number;
}

const rateKey = (name: string): Key => ["rate", name];

const tokenKey = (name: string, n: number): Key => ["rate", name, n];

export function isRate(value: unknown): value is RateValue {
  const { next, keep, from = 0 } = fieldsOf<RateValue>(value) ?? {};
  return isCount(next) && isSpan(keep) && isCount(from);
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
  /** By the name of a rate: the runs of a process share what they have seen. */
  readonly #seen: Map<string, Outstaying>;
  #next = 0;
  #keep = 0;
  #from = 0;
  #version: Version | null = null;
  /** When tokens end, by their numbers, by the monotonic clock. In the past: it did not count when read. */
  #ends: ReadonlyMap<number, number> = new Map();

  constructor(
    locks: Channel<unknown>,
    terms: RateTerms,
    clock: Pick<Clock, "monotonic">,
    seen: Map<string, Outstaying> = new Map(),
  ) {
    [this.#locks, this.terms, this.#clock, this.#seen] = [locks, terms, clock, seen];
  }

  get #outstaying(): Outstaying | undefined {
    return this.#seen.get(this.terms.name);
  }

  /** The token that must be gone before the next run begins; below 0: none. */
  get #oldest(): number {
    return this.#next - this.terms.max;
  }

  /** Whether the time until the next run may begin is known. If not, the commit finds out. */
  get isKnown(): boolean {
    return this.#oldest < this.#from || this.#ends.has(this.#oldest);
  }

  /** The time until the next run may begin, in ms, as last read. 0: now. */
  get rest(): number {
    const end = this.#oldest < this.#from ? GONE : (this.#ends.get(this.#oldest) ?? GONE);
    return Math.max(0, end - this.#clock.monotonic());
  }

  /** How long the first in line waits before it reads the rate again, in ms. */
  get pause(): number {
    return Math.min(Math.max(this.rest, SHORTEST_PAUSE), LONGEST_PAUSE);
  }

  /** Reads the number of the next token alone: most runs find their token free. */
  async readNext(): Promise<void> {
    const entry = await unlessCorrupt(this.#locks.entry(rateKey(this.terms.name)));
    const { next, keep, from = 0 }: RateValue = isRate(entry?.value) ? entry.value : { next: 0, keep: 0 };
    [this.#next, this.#keep, this.#from] = [next, keep, from];
    [this.#version, this.#ends] = [entry?.version ?? null, new Map()];
  }

  /** A start with this fence took a token. */
  taken(fence: Version): void {
    this.#next++;
    this.#keep = Math.max(this.terms.per, this.#keep);
    this.#version = fence;
  }

  /** Takes over what another run of this process knows. If it is outdated, the commit fails. */
  assume(known: Rate): void {
    [this.#next, this.#keep, this.#version, this.#from] = [known.#next, known.#keep, known.#version, known.#from];
    this.#ends = known.terms.per === this.terms.per ? known.#ends : new Map();
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
    if (oldest < this.#from) return;
    const numbers = Array.from({ length: Math.min(AHEAD, this.terms.max) }, (_, i) => oldest + i);
    const keys = numbers.map((n) => this.#tokenKey(n));
    const found = await entriesUnlessCorrupt(this.#locks, keys);
    const now = this.#clock.monotonic();
    this.#noteOutstaying(found[0], now);
    this.#ends = new Map(numbers.map((n, i) => [n, this.#endOf(found[i], now)]));
  }

  /** Notes that the oldest token stays longer than its window, and that it has been seen for long enough. */
  #noteOutstaying(oldest: Entry<unknown> | undefined, now: number): void {
    if (!isToken(oldest?.value) || oldest.expiresIn === undefined || this.#version === null) return;
    const noted = this.#outstaying;
    // The version, because the numbers begin again at 0 if the entry of the rate was lost.
    if (noted !== undefined && oldest.version <= noted.version) {
      if (noted.end <= now) this.#from = noted.before;
    } else if (oldest.expiresIn > oldest.value.per) {
      const end = now + Math.max(this.terms.per, this.#keep);
      // Rates may have the names of tenants.
      if (this.#seen.size >= MOST_SEEN) this.#seen.clear();
      this.#seen.set(this.terms.name, { before: this.#next, version: this.#version, end });
    }
  }

  #endOf(entry: Entry<unknown> | undefined, now: number): number {
    // A token without an end is not ours: it would stop all runs for good.
    if (!isToken(entry?.value) || entry.expiresIn === undefined) return GONE;
    // A run with a longer window may have written it.
    const end = this.terms.per - (entry.value.per - entry.expiresIn);
    const noted = this.#outstaying;
    const latest = noted !== undefined && entry.version <= noted.version ? noted.end : Number.POSITIVE_INFINITY;
    return end > 0 && latest > now ? Math.min(now + end, latest) : GONE;
  }

  /** The checks and writes that take a token. They fail if none is free, or the run is `behind` others. */
  ops(run: string, behind: boolean): Op<unknown>[] {
    const { name, max, per } = this.terms;
    const next = this.#next;
    const keep = Math.max(per, this.#keep);
    // Once as many have started since, no run asks for those tokens.
    const from = next + 1 - max < this.#from && { from: this.#from };
    const ops: Op<unknown>[] = [
      { check: rateKey(name), version: this.#version },
      { put: rateKey(name), value: { next: next + 1, keep, ...from }, ttl: keep + MARGIN },
      { put: this.#tokenKey(next), value: { run, per }, ttl: per },
    ];
    // Once it was gone, the check of the number is enough: only a start writes tokens.
    if (next - max >= this.#from && this.#ends.get(next - max) !== GONE)
      ops.push({ check: this.#tokenKey(next - max), version: null });
    if (behind && this.#version !== null) ops.push({ check: ["rate", name, "none"], version: this.#version });
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
