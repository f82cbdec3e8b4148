import { either, type Fields, flag, map, number, required, type Shape, some, text, word } from "./shape.js";

const runs = ["none", "latest", "all"] as const;

/** A window of `blackout`. */
export const blackoutWindow: Shape = map(
  {
    from: text("When it begins: ISO 8601 with its offset."),
    to: text("When it ends."),
    cron: text("When it begins, again and again."),
    duration: number("How long it is, with `cron`.", "milliseconds", 1),
    timeZone: text("The time zone of its `cron`. Default: UTC."),
    reason: text("Why, for those who ask."),
  },
  "A time in which nothing starts.",
);

/** The words of `typeArgs` that say what becomes of ticks and of failed runs: those of @ojm/schedule. */
export const scheduleWords: Fields = {
  retry: either(
    "How often the job is tried, in all, if it fails.",
    number("How often the job is tried, in all.", "attempts", 1),
    map(
      {
        attempts: required(number("How often the job is tried, in all.", "attempts", 1)),
        delay: number("The time between an attempt and the next one. Default: 60000.", "milliseconds"),
        backoff: word("Whether each delay is twice the one before. Default: exponential.", "fixed", "exponential"),
        maxDelay: number("The longest delay. Default: 3600000.", "milliseconds"),
        onLost: flag("Try again, in another process, a run whose process died or was stopped too."),
      },
      "How often the job is tried, and when.",
    ),
  ),
  overlap: word("What becomes of a tick that is due while the job runs. Default: skip.", "skip", "queue", "replace"),
  missed: either(
    "Which of the ticks are run that nobody decided in time.",
    word("Which of them are run.", ...runs),
    map(
      {
        run: required(word("Which of them are run.", ...runs)),
        within: number("Runs none that is older.", "milliseconds"),
        max: number("With all, the most that are run: the newest.", "ticks", 1),
        downtime: flag("Whether those are run too from before the process began. Default: true."),
      },
      "Which of them are run, and how many.",
    ),
  ),
  jitter: number("Delays each tick by up to so much, and never past the next one.", "milliseconds"),
  blackout: some(blackoutWindow, "Times in which no tick starts a run."),
};
