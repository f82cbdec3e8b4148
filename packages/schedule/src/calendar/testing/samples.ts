import fc from "fast-check";
import type { Sample } from "./walk.js";

interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
}

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split(" ");

function upTo(low: number, high: number, step: number = 1): Set<number> {
  const values = new Set<number>();
  for (let value = low; value <= high; value += step) values.add(value);
  return values;
}

function field(low: number, high: number, likely: readonly number[] = []): fc.Arbitrary<Field> {
  const every = fc.constant({ text: "*", values: upTo(low, high) });
  const value =
    likely.length > 0
      ? fc.oneof(fc.constantFrom(...likely), fc.integer({ min: low, max: high }))
      : fc.integer({ min: low, max: high });
  const list = fc
    .uniqueArray(value, { minLength: 1, maxLength: 3 })
    .map((all) => ({ text: all.join(","), values: new Set(all) }));
  const steps = fc.integer({ min: 2, max: high }).map((step) => ({ text: `*/${step}`, values: upTo(low, high, step) }));
  const pair = fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const range = pair.map(([a, b]) => ({ text: `${a}-${b}`, values: upTo(a, b) }));
  const stepped = fc
    .tuple(pair, fc.integer({ min: 1, max: 7 }))
    .map(([[a, b], step]) => ({ text: `${a}-${b}/${step}`, values: upTo(a, b, step) }));
  return fc.oneof(every, list, list, steps, range, stepped);
}

interface DayField {
  readonly text: string;
  fits(shown: Date): boolean;
}

const ANY_DAY: DayField = { text: "*", fits: () => true };
const lastOfMonth = (day: Date): number =>
  new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();

const dayOfMonth: fc.Arbitrary<DayField> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(ANY_DAY) },
  { weight: 1, arbitrary: fc.constant({ text: "L", fits: (day: Date) => day.getUTCDate() === lastOfMonth(day) }) },
  {
    weight: 1,
    arbitrary: field(1, 31)
      .filter(({ text }) => text !== "*")
      .map(({ text, values }) => ({ text, fits: (day: Date) => values.has(day.getUTCDate()) })),
  },
);

const named = fc
  .integer({ min: 0, max: 6 })
  .map((weekday) => ({ text: `${WEEKDAYS[weekday]}`, fits: (day: Date) => day.getUTCDay() === weekday }));
const nth = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 5 })).map(([weekday, count]) => ({
  text: `${WEEKDAYS[weekday]}#${count}`,
  fits: (day: Date) => day.getUTCDay() === weekday && Math.ceil(day.getUTCDate() / 7) === count,
}));
const last = fc.integer({ min: 0, max: 6 }).map((weekday) => ({
  text: `${weekday}L`,
  fits: (day: Date) => day.getUTCDay() === weekday && day.getUTCDate() > lastOfMonth(day) - 7,
}));

const dayOfWeek: fc.Arbitrary<DayField> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(ANY_DAY, { ...ANY_DAY, text: "?" }) },
  named,
  nth,
  last,
);

const month: fc.Arbitrary<Field> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ text: "*", values: upTo(0, 11) }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 11 }).map((index) => ({ text: `${MONTHS[index]}`, values: new Set([index]) })),
  },
);

function dayFits(day: Date, ofMonth: DayField, ofWeek: DayField): boolean {
  if (ofMonth === ANY_DAY || ofWeek.text === "*" || ofWeek.text === "?") return ofMonth.fits(day) && ofWeek.fits(day);
  return ofMonth.fits(day) || ofWeek.fits(day);
}

/**
 * Expressions of 5 fields, or of 6 with seconds; most have hours around midnight and 2, when clocks change.
 */
export function samples(seconds: boolean): fc.Arbitrary<Sample> {
  const second = seconds ? field(0, 59) : fc.constant({ text: "", values: new Set([0]) });
  const fields = fc.tuple(second, field(0, 59), field(0, 23, [0, 1, 2, 3, 23]), dayOfMonth, month, dayOfWeek);
  const possible = fields.filter(([, , , ofMonth, months]) => months.text === "*" || !/^3[01]/.test(ofMonth.text));
  return possible.map(([ofMinute, minute, hour, ofMonth, months, ofWeek]) => {
    const isInterval = [ofMinute, minute, hour].some(({ text }) => /[*/]/.test(text));
    return {
      text: [ofMinute, minute, hour, ofMonth, months, ofWeek]
        .map(({ text }) => text)
        .join(" ")
        .trim(),
      rule: hour.values.size === 24 ? "clock" : isInterval ? "interval" : "once",
      fits: (shown) =>
        ofMinute.values.has(shown.getUTCSeconds()) &&
        minute.values.has(shown.getUTCMinutes()) &&
        hour.values.has(shown.getUTCHours()) &&
        months.values.has(shown.getUTCMonth()) &&
        dayFits(shown, ofMonth, ofWeek),
    };
  });
}
