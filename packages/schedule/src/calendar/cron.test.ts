import { execFileSync } from "node:child_process";
import { tsArgs } from "@ojm/testing/programs";
import { describe, expect, it } from "vitest";
import { cronSchedule } from "./cron.js";

/** The next ticks, written in UTC. */
function next(count: number, text: string, zone: string, after: string): string[] {
  const schedule = cronSchedule(text, zone);
  const ticks: string[] = [];
  for (let at = schedule.next(Date.parse(after)); ticks.length < count; at = schedule.next(at)) {
    ticks.push(new Date(at).toISOString().replace(":00.000Z", "Z"));
  }
  return ticks;
}

describe("a cron time that the clocks leave out", () => {
  it("a cron time in the gap of a clock change is due at the first instant after the gap", () => {
    const ticks = ["2026-03-07T07:30Z", "2026-03-08T07:00Z", "2026-03-09T06:30Z"];
    expect(next(3, "30 2 * * *", "America/New_York", "2026-03-07T00:00Z")).toEqual(ticks);
  });

  it("several cron times in the gap of a clock change are due once", () => {
    expect(next(2, "*/10 2 * * *", "America/New_York", "2026-03-08T00:00Z")).toEqual([
      "2026-03-08T07:00Z",
      "2026-03-09T06:00Z",
    ]);
  });

  it("@daily is due at one o'clock where the clocks leave out midnight", () => {
    expect(next(2, "@daily", "America/Santiago", "2026-09-05T12:00Z")).toEqual([
      "2026-09-06T04:00Z",
      "2026-09-07T03:00Z",
    ]);
  });

  it("a cron time on a day that the calendar of a zone leaves out is due on the next day", () => {
    expect(next(2, "0 12 30 12 *", "Pacific/Apia", "2011-12-29T12:00Z")).toEqual([
      "2011-12-30T10:00Z",
      "2012-12-29T22:00Z",
    ]);
  });

  it("an hourly cron expression does not make up for a time in the gap of a clock change", () => {
    expect(next(2, "30 * * * *", "America/New_York", "2026-03-08T06:00Z")).toEqual([
      "2026-03-08T06:30Z",
      "2026-03-08T07:30Z",
    ]);
  });
});

describe("a cron time that comes twice", () => {
  it("a cron time that comes twice is due at its first occurrence only, even when asked for in the second hour", () => {
    const ticks = ["2026-11-01T05:30Z", "2026-11-02T06:30Z"];
    expect(next(2, "30 1 * * *", "America/New_York", "2026-11-01T00:00Z")).toEqual(ticks);
    expect(next(1, "30 1 * * *", "America/New_York", "2026-11-01T06:10Z")).toEqual(["2026-11-02T06:30Z"]);
  });

  it("a cron time that comes twice is due twice if the expression repeats within the hour or hourly", () => {
    const hours = ["2026-11-01T04:00Z", "2026-11-01T05:00Z", "2026-11-01T06:00Z", "2026-11-01T07:00Z"];
    expect(next(4, "0 * * * *", "America/New_York", "2026-11-01T03:30Z")).toEqual(hours);
    const halves = [
      "2026-11-01T05:00Z",
      "2026-11-01T05:30Z",
      "2026-11-01T06:00Z",
      "2026-11-01T06:30Z",
      "2026-11-02T06:00Z",
    ];
    expect(next(5, "*/30 1 * * *", "America/New_York", "2026-11-01T03:30Z")).toEqual(halves);
  });
});

describe("ticks of a cron expression", () => {
  it("ticks are in UTC unless a time zone is named, and always later than the instant asked from", () => {
    const schedule = cronSchedule("0 2 * * *");
    const two = Date.parse("2026-07-01T02:00Z");
    expect(schedule.next(two - 1)).toBe(two);
    expect(schedule.next(two)).toBe(two + 24 * 3_600_000);
    expect(schedule.next(two + 0.5)).toBe(two + 24 * 3_600_000);
  });

  it("ticks in the time zone local are read by the clocks of this machine", () => {
    const script = `const { cronSchedule } = await import(process.argv[1]);
      console.log(cronSchedule("30 2 * * *", "local").next(Date.parse("2026-03-28T12:00Z")));`;
    const url = new URL("cron.ts", import.meta.url).href;
    const args = [...tsArgs(), "--input-type=module", "-e", script, url];
    const printed = execFileSync(process.execPath, args, { env: { ...process.env, TZ: "Europe/Berlin" } });
    expect(Number(printed)).toBe(Date.parse("2026-03-29T01:00Z"));
  });

  it("ticks that are years apart are found without a walk through the years between", () => {
    const start = process.cpuUsage();
    const schedule = cronSchedule("0 0 29 2 MON#5", "Europe/Lisbon");
    let at = Date.parse("2026-01-01T00:00Z");
    for (let count = 0; count < 20; count++) at = schedule.next(at);
    const mondays = cronSchedule("30 12 29 2 +MON", "Australia/Lord_Howe");
    for (let count = 0; count < 20; count++) at = mondays.next(at);
    const { user } = process.cpuUsage(start);
    expect(new Date(at).getUTCFullYear()).toBeGreaterThan(2500);
    // 40 ticks over six hundred years take some ms; minute by minute they would take hours.
    expect(user / 1000).toBeLessThan(5000);
  });

  it("a time zone that does not exist is an error that names the nearest one", () => {
    expect(() => cronSchedule("@daily", "Europe/Lisbonn")).toThrow(
      expect.objectContaining({
        setting: "timeZone",
        message:
          'there is no time zone "Europe/Lisbonn": write a name of the IANA list, for example Europe/Lisbon, or UTC. Did you mean Europe/Lisbon?',
      }),
    );
  });
});
