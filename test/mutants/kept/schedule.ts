import type { Kept } from "../types.js";
import { of } from "./rows.js";

const decideTests = ["packages/schedule/src/decide/decide.test.ts"];
const schedulerTests = ["packages/schedule/src/scheduler.test.ts"];

/** What is kept of the schedules. */
export const schedule: Kept = {
  named: [
    ...of(
      "packages/schedule/src/decide/decide.ts",
      decideTests,
      [
        "SC01 a pause lasts a tick too long",
        "at < paused.until",
        "at <= paused.until",
        "the tick at which a pause ends is skipped",
      ],
      [
        "SC02 a pause that is over takes the tick at its end",
        "Math.min(last, until - 1)",
        "Math.min(last, until)",
        "the tick at which a pause ended is not made up for",
      ],
      [
        "SC03 a tick at the end of a pause belongs to it",
        "first >= until || last",
        "first > until || last",
        "the tick at which a pause ended is not made up for",
      ],
    ),
    ...of(
      "packages/schedule/src/definition/blackout.ts",
      ["packages/schedule/src/definition/blackout.test.ts"],
      [
        "SC04 a window includes its end",
        "at >= window.to",
        "at > window.to",
        "a tick is skipped by the window before, with the wrong reason or with none",
      ],
    ),
    ...of(
      "packages/schedule/src/control/overview.ts",
      ["packages/schedule/src/control/overview.test.ts"],
      [
        "SC05 the tick at the end of a blackout is passed over",
        "at = calendar.next(end - 1);",
        "at = calendar.next(end);",
        "an overdue tick raises no alert",
      ],
    ),
    ...of(
      "packages/schedule/src/store/replace.ts",
      schedulerTests,
      [
        "SC06 the last tick of a range that a backfill cuts is lost",
        "if (next <= until)",
        "if (next < until)",
        "a tick has no outcome any more",
      ],
      [
        "SC07 a range is not cut before the tick",
        "if (found.at < at) {",
        "if (found.at < 0) {",
        "a tick has two outcomes after a backfill",
      ],
    ),
    ...of("packages/schedule/src/decide/decide.ts", schedulerTests, [
      "SC09 a cursor that is set back forgets where it was",
      "ahead: Math.max(at, ahead) }",
      "ahead: now }",
      "ticks have two outcomes after a wrong clock is set right",
    ]),
    ...of("packages/schedule/src/control/pause.ts", schedulerTests, [
      "SC10 pauseAfter counts attempts",
      " || isTriedAgain(record)) continue;",
      ") continue;",
      "a schedule is paused by one tick that failed",
    ]),
  ],
  equivalent: [],
  slow: [],
  last: [],
};
