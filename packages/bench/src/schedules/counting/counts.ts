/** A tick that ran in some process: which one, and when its body began. In ms since 1970. */
export type RanTick = readonly [name: string, tick: number, begin: number];

/** Late ticks: from the instant of the tick to the start of the body, in ms. */
export interface Lateness {
  readonly ticks: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export function latenessOf(ran: readonly RanTick[]): Lateness {
  const late = ran.map(([, tick, begin]) => begin - tick).sort((a, b) => a - b);
  const at = (part: number): number => late[Math.max(0, Math.ceil(part * late.length) - 1)] ?? Number.NaN;
  return { ticks: late.length, p50: at(0.5), p99: at(0.99), most: at(1) };
}

/** How often each tick ran. */
export interface Once {
  /** Ticks that ran. */
  readonly ran: number;
  /** Runs beyond the first of their tick. */
  readonly twice: number;
  /** Ticks that did not run. */
  readonly missing: number;
}

export function onceOf(ran: readonly RanTick[], expected: number): Once {
  const ticks = new Set(ran.map(([name, tick]) => `${tick} ${name}`));
  return { ran: ticks.size, twice: ran.length - ticks.size, missing: expected - ticks.size };
}

/** Numbers that only grow, such as the calls that a server counts. */
export type Counters = Readonly<Record<string, number>>;

/** The growth of counters. */
export function grown(before: Counters, after: Counters): Counters {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));
}

/** A stretch of time, in ms, and the growth of counters in it. */
export interface Stretch {
  readonly ms: number;
  readonly grown: Counters;
}

/**
 * The cost of each tick in the counters: their growth during ticks, minus their growth in the same time
 * without ticks.
 */
export function perTick(ticking: Stretch, quiet: Stretch, ticks: number): Counters {
  const each = Object.entries(ticking.grown).map(([name, value]) => {
    const besides = ((quiet.grown[name] ?? 0) / quiet.ms) * ticking.ms;
    return [name, (value - besides) / ticks] as const;
  });
  return Object.fromEntries(each);
}

/** The growth of counters per second. */
export function perSecond({ ms, grown }: Stretch): Counters {
  return Object.fromEntries(Object.entries(grown).map(([name, value]) => [name, (value / ms) * 1_000]));
}
