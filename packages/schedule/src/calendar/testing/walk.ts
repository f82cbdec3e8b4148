/** A cron expression together with what it means, said without any parser. */
export interface Sample {
  readonly text: string;
  /** Whether this time of day fits; it is given as an instant at which clocks in UTC show it. */
  fits(shown: Date): boolean;
  readonly rule: "once" | "interval" | "clock";
}

/** What the clocks of a zone show at each step of a stretch of time. */
export interface Walk {
  readonly instants: readonly number[];
  readonly shown: readonly number[];
  readonly step: number;
}

/**
 * Looks at the clocks of a zone again and again: slow, and with nothing of the arithmetic that it is held
 * against.
 */
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
 * The ticks of an expression on a walk, by the rules in words: what is shown, what was left out, what was
 * seen before.
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
