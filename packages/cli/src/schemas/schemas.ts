import { decidedTickFields, definitions, lockFields, runFields, waiters } from "./definitions.js";
import { count, fields, flag, list, map, maybe, oneOf, ref, type Schema, span, text, time } from "./shapes.js";

const RUNS = list(ref("run"));
const DRY = { dryRun: flag("With --dry-run: nothing was done.") } as const;
const optional = (all: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> =>
  Object.fromEntries(Object.entries(all).map(([name, schema]) => [name, maybe(schema)]));

/** What `--json` prints, by the name of the command. */
const ORPHANED = maybe(flag("Set if no process makes the attempt: its own is gone."));

const NEXT_ATTEMPT = maybe(
  fields(
    { attempt: count(), attempts: count(), due: time(), orphaned: ORPHANED },
    "The next attempt, if the job waits for it.",
  ),
);

const UNATTENDED = maybe(flag("Set if the job has a schedule that no living process runs."));

const PRINTED: Readonly<Record<string, Schema>> = {
  ps: list({
    anyOf: [
      fields({
        ...runFields,
        elapsed: span(),
        usual: maybe(span("How long half of the last runs took that completed, in ms.")),
        progress: maybe(ref("progress")),
        waiting: count("How many wait for its lock."),
        waiters,
        orphan: maybe(ref("orphan")),
        asked: maybe(ref("asked")),
      }),
      fields(
        {
          name: text(),
          status: oneOf("waiting"),
          chain: text("The id of its first run."),
          attempt: count("The attempt that is to come."),
          attempts: count("The most attempts that it may have."),
          due: time("When it is due, in ms since 1970."),
          error: maybe(text("Why the attempt before it failed.")),
          orphaned: ORPHANED,
        },
        "A job that waits for its next attempt, behind all that run.",
      ),
    ],
  }),
  jobs: list(
    fields({
      name: text(),
      running: maybe(ref("run")),
      last: maybe(ref("run")),
      usual: maybe(fields({ p50: span(), p95: span() })),
      streak: maybe({
        type: "integer",
        description:
          "Runs in a row that ended well; below zero, in error. A chain counts once. Of the last 50 attempts.",
      }),
      next: NEXT_ATTEMPT,
      schedule: maybe(ref("schedule")),
      unattended: UNATTENDED,
    }),
  ),
  next: list(
    fields({
      name: text(),
      timeZone: text(),
      at: time(),
      due: time(),
      skipped: maybe(oneOf("paused", "blackout", "held")),
      waiting: maybe(count("On the first one of a job: how many earlier ticks wait for their run.")),
      unattended: UNATTENDED,
    }),
  ),
  why: list(
    fields({
      code: text("What kind of reason it is, such as `running` or `paused`."),
      text: text(),
      reason: maybe(ref("reason")),
      tick: maybe(ref("decidedTick")),
      help: maybe(text("The command that helps, or shows more.")),
    }),
  ),
  ticks: list(
    fields({
      ...decidedTickFields,
      outcome: oneOf("run", "skipped", "missed", "refused", "overdue", "waiting"),
      by: maybe(ref("holder")),
      decided: maybe(time("In ms since 1970. A tick that is overdue or waits is not decided.")),
      revision: maybe(count()),
      why: maybe(text("Why it was not run, in words; of a tick that a backfill ran, its outcome before the backfill.")),
    }),
  ),
  runs: list(
    fields({
      ...runFields,
      count: maybe(count("With --by-name: how many runs of the name were found. This is the newest one.")),
      last: maybe(
        fields(
          { id: text(), status: text(), startTime: time() },
          "With --by-name: the newest run of the name, if it is none of those.",
        ),
      ),
      first: maybe(time("With --by-name: when the first of them began, in ms since 1970.")),
    }),
  ),
  history: RUNS,
  show: fields({
    ...runFields,
    progress: maybe(ref("progress")),
    asked: maybe(ref("asked")),
    waiters,
    attempts: maybe(list(fields({ attempt: count(), id: text(), status: text() }, "An attempt of its chain."))),
    next: maybe(
      fields(
        { attempt: count(), due: time(), orphaned: ORPHANED },
        "The next attempt of its chain, if it waits for one.",
      ),
    ),
  }),
  logs: list({
    anyOf: [
      fields({
        line: count(),
        offset: count(),
        at: time(),
        level: oneOf("debug", "info", "warn", "error", "stdout", "stderr"),
        text: text(),
      }),
      fields({
        missing: { anyOf: [ref("amount"), { type: "string", enum: ["unknown"] }] },
        dropped: maybe(ref("amount")),
      }),
    ],
  }),
  wait: ref("run"),
  locks: list(
    fields({
      ...optional(lockFields),
      waiters,
      name: text(),
      state: oneOf("held", "hold", "free"),
      orphan: maybe(ref("orphan")),
      next: NEXT_ATTEMPT,
    }),
  ),
  audit: list(
    fields({
      at: time(),
      action: text(
        "`unlock`, `cancel`, `hold`, `end-hold`, `pause`, `resume`, `run-now`, `backfill`, `stop-backfill`, `remove` or `prune`.",
      ),
      name: text(),
      by: ref("holder"),
      author: maybe(text("The person behind that process, as `user@host`.")),
      holder: maybe(ref("holder")),
      fence: maybe(text("The fencing token of the lock that was taken.")),
      run: maybe(text("The id of the run that it was done to.")),
      reason: maybe(text()),
      details: maybe(map("More about it, such as until when a pause lasts.")),
    }),
  ),
  doctor: list(
    fields({
      check: text("What was looked at."),
      state: oneOf("ok", "warning", "problem"),
      text: text(),
      help: maybe(text("What to do.")),
      evidence: maybe(map("The numbers and names behind the text.")),
    }),
  ),
  "run-now": fields({ run: text("The id of the run.") }),
  cancel: {
    anyOf: [
      fields({ asked: flag(), ended: flag(), run: maybe(ref("run")) }),
      fields({ ...DRY, run: ref("run"), next: maybe(map("The attempt that the job waits for.")) }),
    ],
  },
  unlock: {
    anyOf: [
      fields({ unlocked: flag(), holder: maybe(ref("holder")), run: maybe(ref("run")) }),
      fields({ ...DRY, lock: ref("lock") }),
    ],
  },
  hold: fields({ ...lockFields, isNew: maybe(flag("Set if the name had no run, no lock and no schedule before.")) }),
  pause: fields({
    name: text(),
    paused: flag(),
    reason: text(),
    by: text(),
    until: maybe(time()),
    replaced: maybe(ref("pause")),
  }),
  resume: fields({ name: text(), wasPaused: flag(), next: maybe(ref("tick")) }),
  schedules: fields({
    name: text(),
    removed: flag(),
    reason: text(),
    by: text(),
    processes: count("How many living processes had it: their programs add it again when they start."),
  }),
  backfill: {
    anyOf: [
      fields({
        id: maybe(text("Not there if there is no tick to run: nothing begins then.")),
        ticks: count("Those that were run already count."),
        ran: count("How many of them were run already."),
        toRun: count("How many of them will be run."),
      }),
      {
        ...list(ref("backfill")),
        description: "With --status: those that are not done. With --stop: those that were.",
      },
    ],
  },
  prune: fields({
    removed: count("How many runs were deleted."),
    audits: count("How many entries of the audit were deleted."),
    dryRun: maybe(DRY.dryRun),
  }),
  import: fields({
    from: fields({ store: text("Its kind."), at: text("When the export began."), ojm: text("The version of ojm.") }),
    runs: ref("imported"),
    logs: ref("imported"),
    audits: ref("imported"),
    schedules: ref("imported"),
    ticks: ref("imported"),
    lowerFences: maybe({
      ...fields({
        imported: text("The highest fence of the imported runs."),
        here: text("The fence that a run of this store would have got."),
      }),
      description:
        "If the fences of this store are below those of the imported runs: a system that stored one refuses the runs of this store.",
    }),
  }),
  error: fields({
    error: fields({
      code: oneOf("failed", "usage", "notFound", "denied", "away", "running", "locked", "timeout"),
      exit: count("The exit code."),
      message: text(),
    }),
  }),
};

/** The schema of what a command prints with `--json`. With `--jsonl`, each line is an item of its list. */
export function schemaOf(command: string): Schema {
  const schema = PRINTED[command];
  if (schema === undefined) throw new Error(`there is no schema of ${command}`);
  const used = new Map<string, Schema>();
  collect(schema, used);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: command === "error" ? "An error, on stderr, with --json" : `ojm ${command} --json`,
    ...schema,
    ...(used.size > 0 && { definitions: Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1))) }),
  };
}

/** Gathers the definitions that a schema refers to, and those that they refer to. */
function collect(schema: unknown, used: Map<string, Schema>): void {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    const name = key === "$ref" ? String(value).replace("#/definitions/", "") : undefined;
    const definition = name === undefined ? undefined : definitions[name];
    if (name === undefined || definition === undefined) collect(value, used);
    else if (!used.has(name)) {
      used.set(name, definition);
      collect(definition, used);
    }
  }
}
