import { describe, expect, it } from "vitest";
import { hashOf } from "./calendar.js";
import { checkDefinition } from "./check.js";
import type { CheckedDefinition, ScheduleDefinition } from "./types.js";

const check = (definition: object): CheckedDefinition => checkDefinition("nightly", definition as ScheduleDefinition);

describe("a definition", () => {
  it("a definition is kept as plain JSON, without what is the default", () => {
    const full = {
      cron: "0 2 * * *",
      timeZone: "Europe/Lisbon",
      overlap: "queue",
      missed: { run: "all", within: 6 * 3_600_000, max: 10, downtime: false },
      jitter: 30_000,
      timeout: 3_600_000,
      lock: "reports",
      permits: { stripe: 10 },
      rate: { name: "smtp", max: 100, per: 60_000 },
      blackout: [
        { from: "2026-12-24T00:00Z", to: "2026-12-27T00:00+01:00", reason: "holidays" },
        { cron: "0 22 * * SAT", duration: 3_600_000, timeZone: "Europe/Lisbon" },
      ],
      pauseAfter: 3,
      retry: { attempts: 3 },
      meta: { team: "reports" },
    };
    expect(check(full)).toEqual(full);
    expect(check({ every: 60_000, overlap: "skip", jitter: 0, timeout: undefined })).toEqual({ every: 60_000 });
    expect(check({ every: 60_000, missed: "latest" })).toEqual({ every: 60_000, missed: "latest" });
    expect(check({ cron: "@daily", timeZone: "UTC" })).toEqual({ cron: "@daily" });
  });

  it("a definition with durations as texts is the same as one in ms, and a text of its meta stays", () => {
    const [texts, ms] = [
      ["1h", "30s", "2h", "1d", "8h", "1m", "10m"],
      [3_600_000, 30_000, 7_200_000, 86_400_000, 28_800_000, 60_000, 600_000],
    ].map(([every, jitter, timeout, within, duration, delay, maxDelay]) =>
      check({
        meta: { every: "1h", missed: { within: "1d" } },
        every,
        jitter,
        timeout,
        missed: { run: "all", within },
        blackout: { cron: "0 22 * * SAT", duration },
        retry: { attempts: 3, delay, maxDelay },
      }),
    );
    expect(texts).toEqual(ms);
    expect(hashOf(texts as CheckedDefinition)).toBe(hashOf(ms as CheckedDefinition));
    expect(texts?.meta).toEqual({ every: "1h", missed: { within: "1d" } });
    expect(check({ every: "1m", jitter: "0s" })).toEqual({ every: 60_000 });
  });

  it.each([
    ["overlp", { overlp: "skip" }, 'has no option "overlp". Did you mean "overlap"?'],
    ["timezone", { timezone: "UTC" }, 'Did you mean "timeZone"?'],
    ["tz", { tz: "UTC" }, 'Did you mean "timeZone"?'],
    ["interval", { interval: 5 }, 'Did you mean "every"?'],
    ["once", { once: { key: "a", keep: "1d" } }, "needs none: each tick starts one run, over all machines"],
    ["colour", { colour: 5 }, "It has: cron, timeZone, every, overlap"],
  ])("the wrong key %s gets an error that names the right one", (_, wrong, text) => {
    expect(() => check({ cron: "@daily", ...wrong })).toThrow(text);
  });

  it.each([
    [{}, 'needs either "cron" or "every"'],
    [{ cron: "@daily", every: 5_000 }, 'needs either "cron" or "every"'],
    [{ every: 5_000, timeZone: "UTC" }, 'has a "timeZone" without "cron"'],
    [{ every: 10 }, 'cannot use "every": it must be a duration from 1 s, in whole ms or as a text with its unit'],
    [{ every: "1 minute" }, 'not the text "1 minute"'],
    [{ every: 1_000.5 }, "not 1000.5"],
    [{ cron: "61 * * * *" }, 'the minute "61"'],
    [{ cron: "@daily", timeZone: "Europe/Lisbonn" }, "Did you mean Europe/Lisbon?"],
    [{ cron: "@daily", timeZone: "local" }, "all processes must have the same"],
    [{ cron: "@daily", overlap: "skp" }, 'it is one of skip, queue, replace, not "skp". Did you mean "skip"?'],
    [{ cron: "@daily", missed: { run: "lates" } }, 'Did you mean "latest"?'],
    [{ cron: "@daily", missed: { max: 5 } }, 'it has no "run", which is one of none, latest, all'],
    [{ cron: "@daily", missed: { run: "all", most: 5 } }, 'it has no "most". It has: run, within, max, downtime'],
    [{ cron: "@daily", missed: { run: "all", max: 101 } }, '"max" is a whole number from 1 to 100, not 101'],
    [
      { cron: "@daily", missed: { run: "all", within: -1 } },
      'cannot use "missed": "within" must be a duration, in whole ms or',
    ],
    [{ cron: "@daily", jitter: 0.5 }, 'cannot use "jitter"'],
    [{ cron: "@daily", blackout: {} }, '"from" of a window is a time'],
    [{ cron: "@daily", blackout: { form: 0, to: 1 } }, 'a window has no "form"'],
    [{ cron: "@daily", blackout: "2026" }, 'it is a window such as { from, to }, or a list of them, not "2026"'],
    [{ cron: { at: "2" } }, 'it is a text such as "0 2 * * *", not {"at":"2"}'],
    [{ cron: "@daily", timeZone: ["UTC"] }, 'not ["UTC"]'],
    [{ every: { minutes: 5 } }, "not a map"],
    [{ cron: "@daily", overlap: { run: "skip" } }, 'not {"run":"skip"}'],
    [{ cron: "@daily", missed: { run: { latest: true } } }, 'not {"latest":true}'],
    [{ cron: "@daily", retry: { attempts: { most: 3 } } }, "whole number from 1 to 100"],
    [{ cron: "@daily", blackout: [{ from: "2026-12-24", to: "2026-12-27" }] }, '"from" of a window is a time'],
    [{ cron: "@daily", blackout: [{ cron: "@daily" }] }, '"duration" must be a duration from 1 ms up to 7 d, in ms or'],
    [{ cron: "@daily", lock: "" }, 'cannot use "lock": it must be a text that is not empty'],
    [{ cron: "@daily", permits: { api: 0 } }, 'the limit of the permit "api" must be a whole number from 1 to 1000'],
    [{ cron: "@daily", rate: { name: "api", max: 0, per: "1m" } }, 'max of the rate "api" must be a whole number from'],
    [{ cron: "@daily", meta: "x" }, "it is a map of JSON"],
    [{ cron: "@daily", meta: { text: "x".repeat(5_000) } }, "it has at most 4096 bytes as JSON, not 5011"],
    [{ cron: "@daily", blackout: [{ from: 0, to: 1, reason: "x".repeat(20_000) }] }, "is too large"],
    [{ cron: "@daily", meta: { big: 1n } }, "it is not JSON"],
    [
      { cron: "@daily", retry: 3 },
      'cannot use "retry": retry of "nightly" must be a map such as { attempts: 3 }, not 3',
    ],
    [{ cron: "@daily", retry: { attempt: 3 } }, 'has no option "attempt". Did you mean "attempts"?'],
    [{ cron: "@daily", retry: { delay: 5 } }, 'retry of "nightly" must have attempts: how often it is tried, in all'],
    [{ cron: "@daily", retry: { attempts: 0 } }, 'attempts of "nightly" must be a whole number from 1 to 100, not 0'],
    [
      { cron: "@daily", retry: { attempts: 2, delay: "8d" } },
      'delay of "nightly" must be a duration up to 7 d, in ms or',
    ],
    [
      { cron: "@daily", retry: { attempts: 2, backoff: "linear" } },
      'backoff of "nightly" must be "fixed" or "exponential"',
    ],
    [{ cron: "@daily", retry: { attempts: 2, onLost: 1 } }, 'onLost of "nightly" must be true or false'],
  ])("the wrong definition %o gets an error that says what may stand there", (wrong, text) => {
    expect(() => check(wrong)).toThrow(expect.objectContaining({ code: "INVALID" }));
    expect(() => check(wrong)).toThrow(text);
  });

  it("a window alone is kept as a list of one, and is the same definition", () => {
    const window = { from: "2026-12-24T00:00Z", to: "2026-12-27T00:00Z", reason: "holidays" };
    const [alone, listed] = [check({ every: 5_000, blackout: window }), check({ every: 5_000, blackout: [window] })];
    expect(alone).toEqual({ every: 5_000, blackout: [window] });
    expect(hashOf(alone)).toBe(hashOf(listed));
    expect(checkDefinition("a", { every: 5_000, jitter: 0, blackout: window })).toEqual(alone);
  });

  it("a name is a text that is not empty", () => {
    expect(() => checkDefinition("", { every: 1_000 })).toThrow("a text of 1 to 200 characters");
    expect(() => checkDefinition("x".repeat(201), { every: 1_000 })).toThrow("a text of 1 to 200 characters");
  });
});
