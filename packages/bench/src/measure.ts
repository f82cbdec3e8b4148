/** Does `count` runs, and can be measured against another load. */
export type Load = (count: number) => Promise<void>;

/**
 * The result of a comparison: runs a second of both sides, and how many times the cost of the floor ours is.
 */
export interface Ratio {
  readonly ours: number;
  readonly floor: number;
  readonly ratio: number;
  /** The ratios of all rounds, sorted. */
  readonly rounds: readonly number[];
}

/**
 * Measures two loads in turns, so that other work of the machine falls on both alike. The ratio is the median
 * over the rounds.
 */
export async function compare(ours: Load, floor: Load, count: number, rounds: number): Promise<Ratio> {
  await ours(count);
  await floor(count);
  const measured: { ours: number; floor: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0;
    const a = await time(first ? ours : floor, count);
    const b = await time(first ? floor : ours, count);
    measured.push(first ? { ours: a, floor: b } : { ours: b, floor: a });
  }
  const ratios = measured.map((round) => round.ours / round.floor).sort((a, b) => a - b);
  return {
    ours: rate(count, median(measured.map((round) => round.ours))),
    floor: rate(count, median(measured.map((round) => round.floor))),
    ratio: median(ratios),
    rounds: ratios,
  };
}

async function time(load: Load, count: number): Promise<number> {
  globalThis.gc?.();
  const start = performance.now();
  await load(count);
  return performance.now() - start;
}

function rate(count: number, ms: number): number {
  return Math.round((count / ms) * 1_000);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Runs one name, one run after the other. */
export function inSequence(run: (job: string) => Promise<unknown>): Load {
  return async (count) => {
    for (let i = 0; i < count; i++) await run("job");
  };
}

/** Runs `names` names at once, the runs of each one after the other. */
export function atOnce(run: (job: string) => Promise<unknown>, names: number): Load {
  return async (count) => {
    const each = async (job: string): Promise<void> => {
      for (let i = 0; i < count / names; i++) await run(job);
    };
    await Promise.all(Array.from({ length: names }, (_, n) => each(`job-${n}`)));
  };
}
