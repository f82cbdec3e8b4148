/** A cron expression and its meaning, stated without a parser. */
export interface Sample {
  readonly text: string;
  /** Whether this time of day matches; it is passed as an instant at which clocks in UTC show it. */
  fits(shown: Date): boolean;
  readonly rule: "once" | "interval" | "clock";
}

/** The clock times of a zone at each step of a stretch of time. */
export interface Walk {
  readonly instants: readonly number[];
  readonly shown: readonly number[];
  readonly step: number;
}

/** Reads the clocks of a zone step by step: slow, but independent of the arithmetic under test. */
export function walk(zone: string, from: number, to: number, step: number): Walk {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  const instants: number[] = [];
  for (let instant = from; instant < to; instant += step) instants.push(instant);
  const shown = instants.map((instant) => Date.parse(`${format.format(instant).replace(" ", "T")}Z`));
  return { instants, shown, step };
}

/** The instants of a walk at which the clocks were just changed. */
export function changes({ instants, shown, step }: Walk): number[] {
  return instants.filter((_, index) => index > 0 && jump(shown, index) !== step);
}

/**
 * The ticks of an expression on a walk, by the rules in words: the times that are shown, that were skipped,
 * and that were seen before.
 */
export function ticks(sample: Sample, { instants, shown, step }: Walk): number[] {
  const fits = (time: number): boolean => sample.fits(new Date(time));
  const seen = new Set<number>();
  return instants.filter((_, index) => {
    const time = shown[index] ?? 0;
    const isRepeated = seen.has(time);
    seen.add(time);
    if (fits(time) && !(sample.rule === "once" && isRepeated)) return true;
    if (sample.rule === "clock" || index === 0) return false;
    for (let leftOut = time - jump(shown, index) + step; leftOut < time; leftOut += step) {
      if (fits(leftOut)) return true;
    }
    return false;
  });
}

function jump(shown: readonly number[], index: number): number {
  return (shown[index] ?? 0) - (shown[index - 1] ?? 0);
}
