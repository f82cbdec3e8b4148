import {
  type Channel,
  type Clock,
  type HeldLock,
  type JobManager,
  type JobManagerOptions,
  openJobManager,
  type Run,
} from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { until as untilSoon } from "@ojm/testing/redis";
import { openWith } from "../../packages/alerts/src/open.js";
import { execute } from "../../packages/cli/src/execute.js";
import { addRequest } from "../../packages/core/src/locks/hold/loss-watch.js";
import { TickClaim } from "../../packages/ojob/src/execute/tick-claim.js";

/*
 * A history of three days in a few seconds, by which one process writes every kind of entry: the clocks of
 * its managers are three days and two hours behind.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The life of what must outlive the readers of a golden store. */
const FIFTY_YEARS = 50 * 365 * DAY;

/** The end of the hold that must outlive them, too. */
const HOLD_UNTIL = Date.parse("2076-01-01T00:00:00Z");

/** For a slow machine, on which a condition takes minutes. */
const until = (condition: () => boolean | Promise<boolean>, what: string): Promise<void> =>
  untilSoon(condition, what, 300_000);

/** A store in use. */
interface StoreInUse {
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  /** Ends all that is running in it. */
  close(): Promise<void>;
}

/** Where to write a history. */
export interface HistoryPlace {
  readonly store: NonNullable<JobManagerOptions["chJobs"]>;
  /** The same as a text, as on the command line. */
  readonly text: string;
  /** The names of all jobs begin with this. */
  readonly prefix: string;
}

/** A clock that is ahead of the machine's by some ms, or behind it. */
function shifted(by: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + by };
}

/** The definitions of the schedules, which each process adds. `at`: when the first one does. */
function definitions(at: number): readonly (readonly [name: string, definition: Parameters<Scheduler["add"]>[1]])[] {
  return [
    ["timed", { every: HOUR, missed: { run: "all", max: 2 }, meta: { team: "a" } }],
    ["nightly", { cron: "0 2 * * *", timeZone: "Europe/Lisbon", missed: "latest", retry: { attempts: 2 } }],
    ["paused", { every: HOUR, missed: "all" }],
    ["dark", { every: HOUR, missed: "latest", blackout: { from: at, to: at + 2 * DAY, reason: "the move" } }],
  ];
}

const fails = async (run: Promise<unknown>): Promise<void> => void (await run.catch(() => {}));
const failing = (why: string) => (): Promise<never> => Promise.reject(new Error(why));
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

/** Writes the history. It resolves while runs, waiters, attempts and a scheduler are active. */
export async function writeHistory({ store, text, prefix }: HistoryPlace): Promise<StoreInUse> {
  const named = (name: string): string => `${prefix}-${name}`;
  const abort = new AbortController();
  const { signal } = abort;
  const open = (clock?: Clock): Promise<JobManager> =>
    openJobManager({
      chJobs: store,
      chLocks: store,
      logBudget: { ttl: FIFTY_YEARS, completed: true },
      retention: { olderThan: FIFTY_YEARS, keep: 50 },
      // No thread renews the session of a manager with its own clock: a busy main thread must not end it.
      ...(clock !== undefined && { clock, ttl: 10 * MINUTE }),
    });

  // Opened first: managers of one process share the clock of the first one on LevelDB.
  const manager = await open();
  const other = await open();
  const past = shifted(-3 * DAY);
  const first = await open(past);
  await runsOfAll(first, named);
  await schedulesOf(first, past, named);
  await first.close();

  const recent = await open(shifted(-2 * HOUR));
  await recent.run(named("done"), (run) => run.log.info("again"));
  await fails(recent.run(named("failed"), failing("still no data")));
  // The rollups mark it as open.
  const long = await recent.start(named("long"), { timeout: DAY });
  // The process of these attempts lives until `close`, so no other one makes them before.
  const due = { attempts: 3, delay: HOUR };
  const later = { attempts: 2, delay: 7 * DAY, maxDelay: 7 * DAY };
  void fails(recent.run(named("tried"), failing("again"), { retry: due, args: { day: 1 }, signal }));
  void fails(recent.run(named("later"), failing("much later"), { retry: later, signal }));
  await until(async () => (await recent.retries()).length === 3, "the attempts are pending");

  await alertsOf(manager, named);
  await manager.hold(named("held"), { reason: "the schema changes", author: "ana", until: HOLD_UNTIL });
  await manager.hold(named("held-shortly"), { reason: "a backup", until: Date.now() + HOUR });
  const claim = new TickClaim(manager, systemClock, named("of-file"), { schedule: "s", at: 1_796_004_000_000 });
  await claim.look();
  await manager.run(named("of-file"), () => {}, { claim });

  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const scheduler = openScheduler(manager);
  await decide(scheduler, named, ended);
  const third = await open();
  const held = await runningWith([manager, other, third], named, signal);
  const exec = await execOf(manager, text, named);
  const { locks } = manager.channels;
  const isSwept = async (): Promise<boolean> => (await locks.entry(["sweep"])) !== undefined;
  // In a store that is used by one process, none takes the turn.
  if (locks.supports.shared !== "process") await until(isSwept, "a process sweeps for all");
  await manager.rollups({ from: Date.now() - 4 * DAY, to: Date.now(), by: "hour" });
  return {
    manager,
    scheduler,
    async close() {
      abort.abort();
      end();
      await exec.end();
      for (const run of [held, long]) await fails(run.end());
      await scheduler.close();
      for (const each of [third, other, manager, recent]) await each.close();
    },
  };
}

type Named = (name: string) => string;

/** Runs with each outcome, and the actions of people. */
async function runsOfAll(manager: JobManager, named: Named): Promise<void> {
  const report = (run: Run): object => {
    run.log.info("reading");
    run.log.warn("the disk is nearly full");
    run.progress(1, 2, "rows");
    return { rows: 42 };
  };
  const once = { key: "2026-11", keep: FIFTY_YEARS };
  await manager.run(named("done"), report, { once, args: { day: "2026-11-29" }, meta: { file: "ä.csv" } });
  await fails(manager.run(named("failed"), failing("no data")));
  await fails(manager.run(named("slow"), ({ signal }) => aborted(signal), { timeout: 20 }));
  await (await manager.start(named("skipped"))).skip("nothing to do");
  await manager.run(named("handed"), (run) => run.handOver("a deploy"));
  let began = (): void => {};
  const running = new Promise<void>((resolve) => {
    began = resolve;
  });
  const cancelled = manager.run(named("cancelled"), ({ signal }) => {
    began();
    return aborted(signal);
  });
  await running;
  await Promise.all([
    fails(cancelled),
    manager.cancel(named("cancelled"), { reason: "the wrong month", author: "ana" }),
  ]);
  const forced = await manager.start(named("forced"));
  await manager.unlock(named("forced"), { reason: "it hangs", author: "ana" });
  await fails(forced.end());
}

/** Schedules that no process runs afterwards, one that is paused, and one that is removed. */
async function schedulesOf(manager: JobManager, clock: Clock, named: Named): Promise<void> {
  const scheduler = openScheduler(manager, { clock });
  for (const [name, definition] of definitions(clock.now())) await scheduler.add(named(name), definition, () => {});
  await scheduler.pause(named("paused"), { reason: "no data", author: "ana" });
  await scheduler.add(named("gone"), { every: DAY }, () => {});
  await scheduler.remove(named("gone"), { reason: "it is not needed", author: "ana" });
  await scheduler.close();
}

/** An alert whose receiver is away. */
async function alertsOf(manager: JobManager, named: Named): Promise<void> {
  const to = { webhook: "https://example.com/hook" };
  const rules = [{ id: named("rule"), on: ["failed", "recovered"] as const, jobs: [named("alerted")], to }];
  const away = async () => ({ type: "later" as const, why: "it is away" });
  const alerts = await openWith(manager, { rules }, away);
  await fails(manager.run(named("alerted"), failing("out of paper")));
  const channel = await manager.channel("oJobManager-alerts");
  for (const kind of ["outbox", "gate", "turn"])
    await until(async () => (await channel.getKeys({ prefix: [kind] })).length > 0, `the alerts wrote "${kind}"`);
  await alerts.close();
}

/** Decides the ticks of three days, and requests runs. */
async function decide(scheduler: Scheduler, named: Named, ended: Promise<void>): Promise<void> {
  for await (const { name, definition } of scheduler.schedules()) {
    const isNew = name === named("nightly");
    await scheduler.add(name, isNew ? { ...definition, meta: { deploy: 2 } } : definition, () => {});
  }
  for (const name of ["timed", "nightly", "paused", "dark"]) {
    const isDecided = async (): Promise<boolean> => {
      for await (const { outcome } of scheduler.ticks(named(name))) if (outcome !== undefined) return true;
      return false;
    };
    await until(isDecided, `the ticks of "${name}" are decided`);
  }
  await scheduler.runNow(named("timed"), { reason: "a new month", author: "ana", args: { month: 11 } });
  // Its run lasts until the end, so that the request stays.
  await scheduler.add(named("busy"), { every: DAY }, () => ended);
  const [from, to] = [Date.now() - 3 * DAY, Date.now()];
  await scheduler.backfill(named("busy"), { from, to, reason: "the store was away", author: "ana" });
  await until(async () => {
    for await (const { run } of scheduler.backfills(named("busy"))) if (run !== undefined) return true;
    return false;
  }, "the backfill runs");
}

/** A run that another process wants to stop, and that a third one waits for. */
async function runningWith(
  [manager, other, third]: readonly [JobManager, JobManager, JobManager],
  named: Named,
  signal: AbortSignal,
): Promise<Run> {
  const name = named("running");
  const run = await manager.start(name);
  run.log.info("it runs");
  run.progress(1);
  const waiting = (count: number): Promise<void> =>
    until(async () => (await manager.waiters(name)).length === count, `processes wait: ${count}`);
  // The first one gives up, so that the next one gets a notice.
  const leaving = new AbortController();
  void fails(other.start(name, { wait: HOUR, signal: leaving.signal }));
  await waiting(1);
  void fails(third.start(name, { wait: HOUR, signal }));
  await waiting(2);
  leaving.abort();
  await waiting(1);
  await other.cancel(name, { reason: "too late", author: "ana", wait: 0 });
  await until(async () => (await manager.progress(run.id)) !== undefined, "the progress is written");
  // A process removes a request within moments: this one is for a session without a process.
  const { fence, holder } = (await manager.heldLocks()).find((lock) => lock.name === named("held")) as HeldLock;
  const request = {
    name: named("held"),
    fence,
    action: "cancel",
    reason: "too late",
    by: holder,
    at: Date.now(),
  } as const;
  await addRequest(manager.channels.locks, holder.instance, request);
  return run;
}

/** A command of `ojm exec` that is running, and a start that it prevents. */
async function execOf(manager: JobManager, store: string, named: Named): Promise<{ end(): Promise<void> }> {
  const locks = manager.channels.locks as Channel<unknown>;
  const name = named("exec");
  const words = ["exec", name, "--store", store, "--quiet-if-locked", "--", "sleep", "600"];
  const ended = execute(words);
  let pid: number | undefined;
  await until(async () => {
    const note = (await locks.get(["exec", name])) as { readonly pid: number } | undefined;
    pid = note?.pid;
    return pid !== undefined;
  }, "the command is running");
  await execute(words);
  return {
    async end() {
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      await ended;
    },
  };
}
