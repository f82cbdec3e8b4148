import { describe, expect, it } from "vitest";
import { cronSchedule, readExpression } from "./cron.js";
import { ScheduleError } from "./schedule.js";

const FROM = Date.parse("2026-01-01T00:00Z");

describe("a cron expression", () => {
  it.each([
    ["15 10 * * *", "2026-01-01T10:15:00"],
    ["30 15 10 * * *", "2026-01-01T10:15:30"],
    ["0 9 * * MON-FRI", "2026-01-01T09:00:00"],
    ["0 9 * jun,DEC sun", "2026-06-07T09:00:00"],
    ["0 9 * * 7", "2026-01-04T09:00:00"],
    ["0 9 L 2 ?", "2026-02-28T09:00:00"],
    ["0 9 LW 1 *", "2026-01-30T09:00:00"],
    ["0 9 * * TUE#2", "2026-01-13T09:00:00"],
    ["0 9 * * FRIL", "2026-01-30T09:00:00"],
    ["0 10-20/5 * * * *", "2026-01-01T00:10:00"],
    ["  0   9\t* * * ", "2026-01-01T09:00:00"],
    ["0 9 15 * MON", "2026-01-05T09:00:00"],
    ["0 9 15 * +MON", "2026-06-15T09:00:00"],
    ["@hourly", "2026-01-01T01:00:00"],
    ["@Daily", "2026-01-02T00:00:00"],
    ["@weekly", "2026-01-04T00:00:00"],
    ["@monthly", "2026-02-01T00:00:00"],
    ["@yearly", "2027-01-01T00:00:00"],
  ])("the cron expression %s is next due at %s", (text, expected) => {
    expect(new Date(readExpression(text).next(FROM)).toISOString()).toBe(`${expected}.000Z`);
  });

  it.each([
    ["30 2 * * *", "once"],
    ["0 2,14 * * *", "once"],
    ["0 1-5 * * *", "once"],
    ["@daily", "once"],
    ["*/10 2 * * *", "interval"],
    ["? 2 * * *", "interval"],
    ["0 */2 * * *", "interval"],
    ["0 * * * *", "clock"],
    ["0 0-23 * * *", "clock"],
    ["@hourly", "clock"],
  ])("the cron expression %s is read by the rule %s where clocks are changed", (text, rule) => {
    expect(readExpression(text).rule).toBe(rule);
  });
});

it("a cron expression has no tick after the year 2999", () => {
  const { next } = cronSchedule("59 23 31 12 *", "Europe/Lisbon");
  const last = Date.parse("2999-12-31T23:59Z");
  expect(next(Date.parse("2999-01-01T00:00Z"))).toBe(last);
  expect([last, last + 1, Date.parse("9999-12-31T00:00Z"), 8.64e15].map(next)).toEqual(Array(4).fill(Infinity));
});

describe("a wrong cron expression", () => {
  it.each([
    ["61 * * * *", 'the minute "61"'],
    ["0 0 25 * * *", 'the hour "25"'],
    ["99 0 0 * * *", 'the second "99"'],
    ["0 0 32 * *", 'the day of month "32"'],
    ["0 0 0 * *", 'the day of month "0"'],
    ["0 0 * 13 *", 'the month "13"'],
    ["0 0 * JANUARY *", 'the month "JANUARY"'],
    ["0 0 * * 8", 'the day of week "8"'],
    ["0 0 * * MON#6", 'the day of week "MON#6"'],
    ["0 0 * * FRI-MON", 'the day of week "FRI-MON"'],
    ["5-1 * * * *", 'the minute "5-1"'],
    ["*/0 * * * *", 'the minute "*/0"'],
    ["0/15 * * * *", 'the minute "0/15"'],
    ["1,,2 * * * *", 'the minute "1,,2"'],
    ["1.5 * * * *", 'the minute "1.5"'],
    ["-1 * * * *", 'the minute "-1"'],
  ])("the error of the wrong cron expression %s names the field and what it takes", (text, named) => {
    expect(messageOf(text)).toContain(`${named} of cron "${text}" cannot be read: it takes `);
  });

  it("the error of a cron expression says how many fields there are, and which there must be", () => {
    const order = "it takes 5 (minute, hour, day of month, month, day of week), or 6 with the second first.";
    expect(messageOf("1 2 3")).toBe(`cron "1 2 3" has 3 fields: ${order}`);
    expect(messageOf("")).toBe(`cron "" has no fields: ${order}`);
    expect(messageOf("2026-01-01T00:00:00")).toBe(`cron "2026-01-01T00:00:00" has 1 field: ${order}`);
    expect(messageOf("0 0 0 1 1 * 2030")).toBe(`cron "0 0 0 1 1 * 2030" has 7 fields: ${order}`);
  });

  it.each(["@reboot", "@every 5m", "@day", "@daily * * * *"])(
    "the error of the unknown cron nickname %s lists the known ones",
    (text) => {
      expect(messageOf(text)).toContain(`cron "${text}" is not a known nickname: there are @yearly`);
    },
  );

  it.each(["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30 2 +MON"])("cron %s is refused: it never fires", (text) => {
    expect(messageOf(text)).toBe(`cron "${text}" never fires: there is no such day in any year.`);
  });
});

function messageOf(text: string): string {
  try {
    readExpression(text);
  } catch (error) {
    if (error instanceof ScheduleError && error.setting === "cron") return error.message;
    throw error;
  }
  throw new Error(`"${text}" was taken`);
}
