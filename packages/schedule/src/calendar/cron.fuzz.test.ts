import { fuzz } from "@ojm/testing/fuzz";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cronSchedule } from "./cron.js";
import { ScheduleError } from "./schedule.js";
import { timeAfter, timesOf } from "./testing/fields.js";
import { samples } from "./testing/samples.js";

/** An expression that may be wrong, a zone that may not exist, and the instant to search from. */
interface Question {
  readonly text: string;
  readonly zone: string;
  readonly after: number;
}

/** How far to search for a tick without croner, in days. */
const DAYS = 400;

const piece = fc.constantFrom(
  ...`* ? , - / # + L W LW @ 0 1 2 5 7 9 12 15 23 29 30 31 32 59 60 99 00 007 1e1 0x1 -1 1.5 */2 */7 */60 */61 1-5
    5-1 0-23 10-20/5 MON SUN sat FRI-MON MON-FRI jan DEC JAN-MAR MON#2 MONL TUE#5 SUN-1 1-sun 15W 31W 1w +MON +*
    @daily @hourly @reboot @every ١ é 💥 undefined NaN`.split(/\s+/),
  " ",
  "\t",
  "\n",
  "\u00a0",
  "\u0000",
  "\u001b[2J",
  "9".repeat(400),
  "1,".repeat(500),
);
const field = fc.string({ unit: piece, minLength: 1, maxLength: 3 });
/** Five or six fields, or about as many, of pieces that belong into them. */
const fields = fc.array(fc.oneof(piece, fc.constant("*"), field), { minLength: 4, maxLength: 7 });
const valid = fc
  .boolean()
  .chain(samples)
  .map(({ text }) => text);
/** A right expression with one field replaced. */
const replaced = fc.tuple(valid, fc.nat(), field).map(([text, place, other]) => {
  const all = text.split(" ");
  all[place % all.length] = other;
  return all.join(" ");
});

const ZONES = ["UTC", "UTC", "UTC", "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"];
const OTHER_ZONES = [
  "local",
  "",
  "europe/lisbon",
  "Mars/Base",
  "+05:30",
  "GMT",
  "__proto__",
  "\u001b[2J",
  "x".repeat(500),
];

const inputs: fc.Arbitrary<Question> = fc.record({
  text: fc.oneof(
    { weight: 3, arbitrary: replaced },
    { weight: 2, arbitrary: fields.map((all) => all.join(" ")) },
    { weight: 1, arbitrary: fc.string({ unit: piece, maxLength: 8 }) },
    { weight: 3, arbitrary: valid },
  ),
  zone: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...ZONES) }, fc.constantFrom(...OTHER_ZONES)),
  // 1970 to 2100, at whole seconds and between them.
  after: fc.oneof(
    fc.integer({ min: 0, max: 4_102_444_800 }).map((seconds) => seconds * 1_000),
    fc.nat(4_102_444_800_000),
  ),
});

/** Either a schedule, or an error that names the wrong setting. */
function scheduleOf({ text, zone }: Question): ReturnType<typeof cronSchedule> | ScheduleError {
  try {
    return cronSchedule(text, zone);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    expect(error.code).toBe("INVALID");
    expect(["cron", "timeZone"]).toContain(error.setting);
    // Not the words of the parser.
    expect(error.message).not.toMatch(/CronPattern|CronDate|toTZ|\[object/);
    return error;
  }
}

test("a quarter of the random questions of the fuzz target cron have a schedule, and all expressions without a fault", () => {
  const taken = (questions: readonly Question[]): number =>
    questions.filter((question) => !(scheduleOf(question) instanceof ScheduleError)).length;
  expect(taken(fc.sample(inputs, { seed: 1, numRuns: 300 }))).toBeGreaterThan(75);
  const right = fc.sample(valid, { seed: 1, numRuns: 300 }).map((text) => ({ text, zone: "UTC", after: 0 }));
  expect(taken(right)).toBe(300);
});

fuzz({
  name: "cron",
  inputs,
  check: (question) => {
    const { text, zone, after } = question;
    const schedule = scheduleOf(question);
    const times = timesOf(text);
    if (schedule instanceof ScheduleError) {
      if (!schedule.message.endsWith("there is no such day in any year.")) {
        // What our documents allow is taken.
        if (schedule.setting === "timeZone") expect(ZONES).not.toContain(zone);
        else expect(times, "the times of a rejected expression").toBeUndefined();
        return;
      }
      // There is no day, by its own account: neither is there one without croner.
      expect(times && timeAfter(times, after, DAYS)).toBeUndefined();
      return;
    }
    // What croner takes and our documents do not is read in a way that no user expects.
    if (times === undefined) throw new Error("this expression is taken, and our documents do not allow it");
    const tick = schedule.next(after);
    expect(tick).toBeGreaterThan(after);
    expect(tick % 1_000).toBe(0);
    // The tick does not depend on where the search begins.
    expect(schedule.next(tick - 1)).toBe(tick);
    expect(schedule.next((after + tick) / 2)).toBe(tick);
    expect(schedule.next(tick)).toBeGreaterThan(tick);
    // Spaces and the case of letters mean nothing.
    expect(cronSchedule(`  ${text.trim().toLowerCase().replace(/\s+/g, " \t")} `, zone).next(after)).toBe(tick);
    if (zone !== "UTC") return;
    const expected = timeAfter(times, after, DAYS);
    if (expected !== undefined) expect(tick).toBe(expected);
    else expect(tick).toBeGreaterThan(after + (DAYS - 1) * 86_400_000);
  },
  runs: { some: 200, many: 5_000 },
});
