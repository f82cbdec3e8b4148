import { beforeEach, describe, expect, it } from "vitest";
import { SkippingClock } from "../testing/skipping-clock.js";
import { cronSchedule } from "./cron.js";
import { intervalSchedule } from "./schedule.js";
import { type Due, Timetable } from "./timetable.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let clock: SkippingClock;
let timetable: Timetable;

beforeEach(() => {
  clock = new SkippingClock("2026-05-01T00:30:00Z");
  timetable = new Timetable(clock);
});

const iso = (at: number): string => new Date(at).toISOString().slice(5, 16);

/** Notes the ticks of an expression, and the number of missed ones before each. */
function note(expression: string): string[] {
  const seen: string[] = [];
  const onDue = ({ at, missed, since }: Due): void => {
    seen.push(missed === 0 ? iso(at) : `${iso(at)} for ${missed} from ${iso(since)}`);
  };
  timetable.add(cronSchedule(expression), () => clock.now(), onDue);
  return seen;
}

const until = (end: string): Promise<void> => clock.until(`2026-${end}:30Z`, () => true);

describe("a timetable", () => {
  it("a timetable reports each tick once, even ticks that are months away", async () => {
    const [hourly, monthly] = [note("0 * * * *"), note("0 0 1 * *")];
    await until("05-01T04:10");
    expect(hourly).toEqual(["05-01T01:00", "05-01T02:00", "05-01T03:00", "05-01T04:00"]);
    await until("07-15T00:00");
    expect(monthly).toEqual(["06-01T00:00", "07-01T00:00"]);
    expect(hourly).toHaveLength(24 * 75);
  });

  it("a timetable reports all ticks that are due in one second, each once", async () => {
    const all = Array.from({ length: 20 }, () => note("*/10 * * * *"));
    await until("05-01T01:00");
    for (const seen of all) expect(seen).toEqual(["05-01T00:40", "05-01T00:50", "05-01T01:00"]);
  });

  it("a timetable makes one late tick of those that a sleeping process missed", async () => {
    const seen = note("0 * * * *");
    clock.sleep(5 * HOUR);
    await until("05-01T06:10");
    expect(seen).toEqual(["05-01T05:00 for 4 from 05-01T01:00", "05-01T06:00"]);
  });

  it("a timetable makes one late tick of those that the wall clock is put past, within a minute", async () => {
    const seen = note("0 * * * *");
    await until("05-01T00:35");
    clock.wall += 3 * HOUR;
    await until("05-01T03:36");
    expect(seen).toEqual(["05-01T03:00 for 2 from 05-01T01:00"]);
  });

  it("a timetable reports no tick again when the wall clock is put back", async () => {
    const seen = note("*/10 * * * *");
    await until("05-01T01:05");
    clock.wall -= HOUR;
    await until("05-01T01:15");
    expect(seen).toEqual(["05-01T00:40", "05-01T00:50", "05-01T01:00", "05-01T01:10"]);
  });

  it("a timetable continues at once when a wrong date of the wall clock is put right", async () => {
    clock.wall += 24 * 365 * 24 * HOUR;
    const seen = note("0 * * * *");
    await clock.until("2050-04-25T03:05:00Z", () => true);
    const before = seen.length;
    clock.wall -= 24 * 365 * 24 * HOUR;
    await until("05-01T05:05");
    expect(seen.slice(before)).toEqual(["05-01T04:00", "05-01T05:00"]);
  });

  it("a timetable is not held up by the years that a wrong date of the wall clock skips", async () => {
    const seen = note("* * * * * *");
    clock.wall += 50 * 365 * 24 * HOUR;
    await clock.until("2076-04-18T00:31:30Z", () => true);
    expect(seen[0]).toMatch(/ for 100 from 05-01T00:30$/);
    expect(seen.length).toBeGreaterThan(1);
  });

  it("a timetable counts intervals in real time, whatever the wall clock does", async () => {
    const seen: number[] = [];
    const start = clock.monotonic();
    timetable.add(
      intervalSchedule(10 * MINUTE, start),
      () => clock.monotonic(),
      ({ at }) => seen.push(at - start),
    );
    await until("05-01T00:45");
    clock.wall += HOUR;
    await until("05-01T01:55");
    expect(seen.map((at) => Math.round(at / MINUTE))).toEqual([10, 20]);
  });

  it("a timetable reports no tick once it is stopped, not even one that is due at that moment", async () => {
    const first: number[] = [];
    timetable.add(
      cronSchedule("0 * * * *"),
      () => clock.now(),
      ({ at }) => {
        first.push(at);
        timetable.stop();
      },
    );
    const second = note("0 * * * *");
    await until("05-01T05:00");
    expect([first.length, second.length]).toEqual([1, 0]);
  });
});
