import {
  anything,
  count,
  fields,
  flag,
  list,
  map,
  maybe,
  oneOf,
  ref,
  type Schema,
  span,
  text,
  time,
} from "./shapes.js";

const STATUS = oneOf("running", "completed", "skipped", "failed", "timeout", "cancelled", "lost");

const holder = fields(
  { host: text(), pid: count(), instance: text("The session of the process.") },
  "The process that has it.",
);

const progress = fields({
  done: { type: "number" },
  total: maybe({ type: "number" }),
  text: maybe(text()),
  at: time(),
});

/** The fields of the record of a run. */
export const runFields: Readonly<Record<string, Schema>> = {
  name: text(),
  startTime: time(),
  startDate: text("`startTime` in ISO 8601."),
  id: text("`name@startDate`."),
  status: STATUS,
  holder: ref("holder"),
  trigger: text("Why it was started."),
  timeout: span(),
  versions: maybe(fields({ ojm: text(), node: text() })),
  schedule: maybe(text()),
  tick: maybe(time()),
  delay: maybe(span("How long after its tick it began, in ms.")),
  attempt: maybe(count("Which attempt of its chain it is, from 1.")),
  chain: maybe(text("The id of the first run of its chain.")),
  retry: maybe(ref("retry")),
  args: maybe(map("Its parameters.")),
  meta: maybe(map()),
  fence: maybe(text("The version of its lock.")),
  endTime: maybe(time()),
  endDate: maybe(text()),
  duration: maybe(span()),
  inError: maybe(flag("True for every end but `completed` and `skipped`.")),
  error: maybe(text()),
  stack: maybe(text()),
  endedBy: maybe(
    fields({
      action: oneOf("cancel", "unlock"),
      by: ref("holder"),
      author: maybe(text("The person behind that process.")),
      reason: text(),
    }),
  ),
  handedOver: maybe(flag("Set if the run was handed over: another run of its chain makes the same attempt.")),
  result: maybe(anything),
};

const retry = fields({
  attempts: count(),
  delay: span(),
  backoff: oneOf("fixed", "exponential"),
  maxDelay: span(),
  onLost: flag(),
});

/** Who waits for a lock: there only if somebody does. */
export const waiters: Schema = maybe(
  list(
    fields(
      {
        host: text(),
        pid: count(),
        instance: text(),
        since: maybe(time("Since when it waits, in ms since 1970 by its own clock.")),
      },
      "A process that waits for the lock. Those that will have it first come first; 100 at most.",
    ),
  ),
);

/** The fields of a held lock. */
export const lockFields: Readonly<Record<string, Schema>> = {
  name: text(),
  holder: ref("holder"),
  since: time(),
  fence: text(),
  waiting: count("How many wait for it."),
  note: maybe(anything),
};

const tick = fields({
  at: time(),
  due: time("`at`, and the delay by its jitter."),
  skipped: maybe(oneOf("paused", "blackout", "held")),
  waiting: maybe(count("On the first one: how many earlier ticks wait for their run.")),
});

const pause = fields({ reason: text(), by: text(), at: time(), until: maybe(time()) });

/** The fields of a tick and its outcome. */
export const decidedTickFields: Readonly<Record<string, Schema>> = {
  schedule: text(),
  at: time(),
  outcome: oneOf("run", "skipped", "missed", "refused"),
  reason: maybe(text()),
  evidence: maybe(map()),
  run: maybe(text("The id of the run.")),
  until: maybe(time("The last tick, if it is about several.")),
  count: maybe(count()),
  more: maybe(flag("There are at least `count` ticks.")),
  by: ref("holder"),
  decided: time(),
  revision: count(),
};

const reason = fields({
  code: oneOf("running", "locked", "maintenance", "queue", "retry", "once", "last", "never"),
  text: text(),
  lock: maybe(ref("lock")),
  waiters,
  run: maybe(ref("run")),
  next: maybe(map("The next attempt.")),
  asked: maybe(ref("asked")),
});

const schedule = fields({
  name: text(),
  definition: map("As the program gave it: see @ojm/schedule."),
  revision: count(),
  next: list(ref("tick")),
  nextRun: maybe(ref("tick")),
  paused: maybe(ref("pause")),
  words: text("When it is due, in words."),
});

const backfill = fields({
  id: text(),
  schedule: text(),
  by: text(),
  at: time(),
  reason: text(),
  from: time("The time whose ticks are run."),
  to: time(),
  again: flag("Whether ticks that were run already are run again."),
  ticks: count("How many ticks there are in its time."),
  left: count("How many of them are still to be looked at."),
  run: maybe(text("The id of the run that was started last.")),
});

const orphan = fields(
  { host: text(), pid: count() },
  "The command of `ojm exec` that goes on although its ojm was killed.",
);

const asked = fields(
  { at: time(), by: ref("holder"), author: maybe(text("The person behind that process.")), reason: maybe(text()) },
  "Who asked the run to stop, last. It had no effect so far, or another reason ended the run.",
);

const imported = fields({
  imported: count(),
  present: count("The store had them already."),
  leftOut: { type: "object", additionalProperties: count(), description: "How many, by the reason." },
});

const amount = fields({ lines: count(), bytes: count() });

/** The parts of which the schemas are made, by their names. */
export const definitions: Readonly<Record<string, Schema>> = {
  run: fields(runFields, "The record of a run."),
  lock: fields(lockFields, "A held lock."),
  holder,
  progress,
  retry,
  tick,
  pause,
  decidedTick: fields(decidedTickFields, "What became of a tick, or of all ticks from `at` to `until`."),
  reason,
  schedule,
  backfill,
  orphan,
  asked,
  amount,
  imported,
};
