import { describe, expect, it } from "vitest";
import { wordsOf } from "./words.js";

describe("a definition in words", () => {
  it.each([
    [{ cron: "0 2 * * *", timeZone: "Europe/Lisbon" }, "At 02:00 (Europe/Lisbon)"],
    [{ cron: "30 2 * * MON-FRI" }, "At 02:30, Monday through Friday (UTC)"],
    [{ cron: "0 9 15 * MON" }, "At 09:00, on day 15 of the month or on Monday (UTC)"],
    [{ cron: "0 9 15 * +MON" }, "At 09:00, on day 15 of the month, and on Monday (UTC)"],
    [{ cron: "@hourly", jitter: 90_000 }, "Every hour (UTC), up to 1 min 30 s later"],
    [{ cron: "*/15 * * * * *" }, "Every 15 seconds (UTC)"],
    [{ cron: "*/45 * * * * *" }, "At 0 and 45 seconds past the minute (UTC)"],
    [{ cron: "*/40 * * * *" }, "At 0 and 40 minutes past the hour (UTC)"],
    [{ cron: "0 */10 * * *" }, "At 00:00, 10:00 and 20:00 (UTC)"],
    [{ cron: "0 0 1 */5 *" }, "At 00:00, on day 1 of the month, only in January, June, and November (UTC)"],
    [{ cron: "0 2 */2 * *" }, "At 02:00, every 2 days in a month (UTC)"],
    [{ every: 60_000 }, "Every 1 min"],
    [{ every: 3_600_000 }, "Every 1 h"],
    [{ every: 5_400_000 }, "Every 1 h 30 min"],
    [{ every: 1 }, "Every 1 ms"],
  ])("%o is said as %s", async (definition, words) => {
    expect(await wordsOf(definition)).toBe(words);
  });
});
