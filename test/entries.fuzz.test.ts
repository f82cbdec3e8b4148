import { readdirSync, readFileSync } from "node:fs";
import { isChannelError, isLockError, isRunError, type JobManager } from "@ojm/core";
import { isQueueError, openQueues, type QueueCounts, type Queues } from "@ojm/queue";
import { isScheduleError, openScheduler, type Scheduler } from "@ojm/schedule";
import { snapshot } from "@ojm/schedule/operator";
import { fuzz } from "@ojm/testing/fuzz";
import fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import { openWith } from "../packages/alerts/src/open.js";
import { FakeReceiver } from "../packages/alerts/src/testing/receiver.js";
import { orphansOf } from "../packages/cli/src/commands/exec/orphans.js";
import { Predecessor } from "../packages/cli/src/commands/exec/predecessor.js";
import { markReported, sayRefusals } from "../packages/cli/src/commands/exec/refusals.js";
import { locksText } from "../packages/cli/src/commands/look/locks.js";
import { runsText } from "../packages/cli/src/commands/look/runs/runs.js";
import { given } from "../packages/cli/src/testing/given.js";
import type { Channel } from "../packages/core/src/channel/channel.js";
import { decodeKey, encodeChannelName } from "../packages/core/src/channel/encoding/key.js";
import { openChannel } from "../packages/core/src/channel/open.js";
import type { Key } from "../packages/core/src/channel/types.js";
import { damagedKey, damagedKeyText, damagedText, type StoredText } from "../packages/core/src/testing/damage.js";
import type { FakeClock } from "../packages/core/src/testing/fake-clock.js";
import { scribble } from "../packages/core/src/testing/scribble.js";
import { collect, rejection } from "../packages/core/src/testing/settle.js";
import { Dice } from "../packages/core/src/testing/simulation/dice.js";
import type { FaultyBackend } from "../packages/core/src/testing/stores/faulty-backend.js";
import { World } from "../packages/core/src/testing/world.js";
import { SkippedJob } from "../packages/ojob/src/execute/runtime/job-error.js";
import { TickClaim } from "../packages/ojob/src/execute/tick-claim.js";
import { examples, placeOf } from "./support/entries-page.js";

/*
 * Entries of every kind, written by the real code, then damaged: each call ends with a result or with an
 * error of ours, after a bounded number of calls to the store, and an undamaged name still works.
 */

const TTL = 15_000;

/** Far more calls to the store than any of these calls makes. A call that makes more probably never ends. */
const ENDLESS = 5_000;

interface Sample extends StoredText {
  readonly kind: string;
  readonly channel: string;
  /** The stored form of the key, if no channel would write it like that. */
  readonly keyText?: string;
}

/** Which kind of entry a key is of. */
function kindOf(channel: string, key: Key, text: string): string {
  const of = channel.replace("oJobManager-", "");
  if (of === "jobs") return `record, ${(JSON.parse(text) as { status: string }).status}`;
  if (!Array.isArray(key)) return `${of} ${typeof key === "string" ? key : "entry"}`;
  const [kind, , part] = key as readonly (string | number)[];
  if (of === "logs") return part === "progress" ? "log, progress" : "log, chunk";
  if (typeof kind !== "string") return `${of} by time`;
  const isPart = typeof part === "string" && (kind === "lock" || kind === "session" || kind === "member");
  return `${of} ${kind}${isPart ? ` ${["queue", "call", "stop"].includes(part) ? part : "part"}` : ""}`;
}

/** The most samples of one kind. */
const OF_A_KIND = 4;

/** The entries of the latest golden stores: one of each kind. */
function goldenSamples(): Sample[] {
  const folder = new URL("golden/", import.meta.url);
  const versions = readdirSync(folder).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  const latest = versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  const lines = readFileSync(new URL(`${latest}/entries.txt`, folder), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => {
    const [stored = "", text = ""] = line.split("\t");
    const { channel, key } = placeOf(stored) as { channel: string; key: Key };
    return { kind: kindOf(channel, key, text), channel, key, text };
  });
}

/** Some entries of each kind: as the golden stores have them, and as a world of managers writes them. */
async function samples(): Promise<Sample[]> {
  return [...goldenSamples(), ...(await worldSamples())];
}

/** Entries of the core and of schedules, also of kinds that are soon deleted. */
async function worldSamples(): Promise<Sample[]> {
  const world = new World(1);
  const { clock } = world;
  // It warns of the schedule that is removed.
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const [one, two] = [await world.manager(), await world.manager()];
  const fail = (): Promise<never> => Promise.reject(new Error("no data"));
  // A sweep has run by then.
  await clock.advance(2 * TTL);
  await one.manager.run("done", (run) => {
    run.log.info("a line");
    run.progress(1, 2, "rows");
    return { rows: 7 };
  });
  await rejection(one.manager.run("broken", fail));
  await one.manager.start("forced");
  await two.manager.unlock("forced", { reason: "it hangs" });
  await one.manager.start("held");
  const first = new AbortController();
  const waiting = [first.signal, undefined, undefined].map((signal) =>
    two.manager.start("held", { wait: 3_600_000, ...(signal && { signal }) }),
  );
  for (const wait of waiting) wait.catch(() => {});
  await clock.advance(100);
  // The next one is called.
  first.abort();
  await clock.advance(100);
  await one.manager.start("with-permit", { permits: { stripe: 2 }, rate: { name: "smtp", max: 2, per: 3_600_000 } });
  await one.manager.limit("stripe", 3);
  await one.manager.once("paid", "order-1", () => ({ receipt: 81 }), { keep: "30d" });
  await one.manager.hold("on-hold", { reason: "disk", author: "ana", until: clock.now() + 3_600_000 });
  one.manager.run("tried", fail, { retry: { attempts: 3, delay: 3_600_000 } }).catch(() => {});
  const stopped = one.manager.run("stopped", ({ signal }) => untilAborted(signal));
  stopped.catch(() => {});
  await clock.advance(100);
  await clock.until(two.manager.cancel("stopped", { reason: "wrong month", author: "ana" }));
  const scheduler = openScheduler(one.manager, { clock });
  await clock.until(scheduler.add("timed", { every: 60_000, meta: { team: "a" } }, () => {}));
  await clock.until(scheduler.add("paused", { cron: "* * * * *", timeZone: "Europe/Lisbon" }, () => {}));
  await clock.until(scheduler.pause("paused", { reason: "holidays" }));
  await clock.advance(180_000);
  await clock.until(scheduler.runNow("timed", { reason: "now" }));
  await clock.until(scheduler.backfill("timed", { from: clock.now() - 120_000, reason: "late", again: true }));
  await clock.until(scheduler.add("gone", { every: 60_000 }, () => {}));
  await clock.until(scheduler.remove("gone", { reason: "not needed" }));
  await clock.until(one.manager.rollups({ from: clock.now() - 3_600_000, to: clock.now(), by: "minute" }));
  await clock.advance(3 * 3_600_000);
  await fillQueue(openQueues(one.manager, { clock }), clock);
  await one.manager.startMaintenance({ names: "billing/*", reason: "closed", until: clock.now() + 3_600_000 });
  warned.mockRestore();
  const found = new Map<string, Sample>();
  const count = new Map<string, number>();
  for (const { writes } of [...one.way.commits, ...two.way.commits].reverse()) {
    for (const { key: stored, value: text } of writes) {
      const end = stored.indexOf(" ");
      const [channel, key] = [stored.slice(0, end), decodeKey(stored.slice(end + 1))];
      if (text === null || found.has(stored)) continue;
      const kind = kindOf(channel, key, text);
      const before = count.get(kind) ?? 0;
      if (before >= OF_A_KIND) continue;
      count.set(kind, before + 1);
      found.set(stored, { kind, channel, key, text });
    }
  }
  return [...found.values()];
}

/** How often the items are counted until each is in its state. */
const MOST_TRIES = 100;

/** A queue with an item in each state. */
async function fillQueue(queues: Queues, clock: FakeClock): Promise<void> {
  await clock.until(queues.define("mail", { attempts: 2, delay: "1h", perGroup: 5, record: "failed" }));
  const work = ({ data, signal }: { data: unknown; signal: AbortSignal }): Promise<unknown> =>
    data === "fails" ? Promise.reject(new Error("no route")) : untilAborted(signal);
  await clock.until(queues.work("mail", work, { concurrency: 3 }));
  for (const [data, attempts] of [
    ["fails", 1],
    ["fails", 2],
    ["takes long", 2],
  ] as const)
    await clock.until(queues.add("mail", data, { attempts, ...(data === "takes long" && { unique: { key: data } }) }));
  let counts: QueueCounts;
  for (let tries = 0; ; tries++) {
    counts = await clock.until(queues.counts("mail"));
    const { active, dead, delayed } = counts;
    if (active === 1 && dead === 1 && delayed === 1) break;
    if (tries > MOST_TRIES)
      throw new Error(`the items of the queue do not get to their states: ${JSON.stringify(counts)}`);
    await clock.advance(10);
  }
  await clock.until(queues.trigger("mail", "newer", { key: "takes long", after: "1h" }));
  await clock.until(queues.pause("mail", { reason: "the server moves", until: clock.now() + 3_600_000 }));
  await clock.until(
    queues.add("mail", "x", { group: "ana", unique: { key: "order-1" }, ttl: "1h", meta: { order: 1 } }),
  );
  await clock.until(queues.add("mail", "y", { delay: "1h", unique: { key: "order-2", until: "taken" } }));
  for (const data of [[], ["z"]])
    await clock.until(queues.batch("mail", `batch ${data.length}`, data, { callback: { queue: "mail", data: null } }));
  await clock.until(queues.close({ grace: 0 }));
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

const all = await samples();
const kinds = [...new Set(all.map(({ kind }) => kind))].sort();

/** Writes a text to a store, past all checks. */
async function plant(way: FaultyBackend, { channel, key, keyText, text }: Sample): Promise<void> {
  if (keyText !== undefined) {
    const stored = encodeChannelName(channel) + keyText;
    await way.commit({ checks: [], writes: [{ key: stored, value: text }] });
    return;
  }
  const opened = await openChannel(channel, { backend: way });
  await scribble({ way, channel: opened as Channel<never> }, key, text);
  await opened.close();
}

/** Damaged copies of some samples. The number decides how. */
function spoilt(some: readonly Sample[], sizes: fc.ArrayConstraints): fc.Arbitrary<readonly Sample[]> {
  return fc
    .array(fc.tuple(fc.constantFrom(...some), fc.integer()), sizes)
    .map((chosen) => chosen.flatMap(([it, seed]) => damaged(new Dice(seed), it)));
}

function damaged(dice: Dice, it: Sample): readonly Sample[] {
  const where = dice.chance();
  // Written beside the existing entry: no channel writes an entry under such a key.
  if (where < 0.15) return [it, { ...it, keyText: damagedKeyText(dice, it.key) }];
  const key = where < 0.3 ? damagedKey(dice, it.key) : it.key;
  return [{ ...it, key, text: damagedText(dice, it.text) }];
}

/** A store: the seed of its world, and what is planted in it. */
interface Store {
  readonly seed: number;
  readonly entries: readonly Sample[];
}

/** Some entries as they were, then damaged ones of one kind, and a few of others. Later ones count. */
const inputs: fc.Arbitrary<Store> = fc.constantFrom(...kinds).chain((kind) =>
  fc.record({
    seed: fc.integer({ min: 1, max: 1e9 }),
    entries: fc
      .tuple(
        fc.subarray(all),
        spoilt(all, { maxLength: 2 }),
        spoilt(
          all.filter((it) => it.kind === kind),
          { minLength: 1, maxLength: 4 },
        ),
      )
      .map((parts) => parts.flat()),
  }),
);

/** Fails every call to the store beyond the bound. */
function bounded(way: FaultyBackend): () => void {
  let left = ENDLESS;
  way.fault = () => {
    if (--left < 0) throw new Error(`more than ${ENDLESS} calls to the store: this never ends`);
    return undefined;
  };
  return () => {
    left = ENDLESS;
  };
}

const NAMES = ["held", "done", "forced", "on-hold", "tried", "timed", "lone"];

/** A rule with alerts among the samples. */
const RULE = { id: "golden-rule", on: ["failed"] as const, to: { webhook: "https://example.com/hook" } };
const OF_EXEC = "golden-exec";
const OF_FILE = { name: "golden-of-file", tick: { schedule: "s", at: 1_796_090_400_000 } };

/** All queries of a manager and its scheduler, and most actions. */
function surface(
  manager: JobManager,
  scheduler: Scheduler,
  clock: FakeClock,
): [what: string, call: () => Promise<unknown>][] {
  const calls: [string, () => Promise<unknown>][] = [
    ["history()", () => collect(manager.history())],
    ["limitWaiters()", () => manager.limitWaiters()],
    ["permits()", () => manager.permits()],
    ["history({ limit: 3 })", () => collect(manager.history({ limit: 3 }))],
    ["running()", () => manager.openRecords()],
    ["locks()", () => manager.heldLocks()],
    ["failedJobs()", () => manager.failedJobs()],
    ["lastSuccesses()", () => collect(manager.lastSuccesses())],
    ["jobs()", () => collect(manager.jobs())],
    ["retries()", () => manager.retries()],
    ["audit()", () => collect(manager.audit())],
    ["rollups()", () => manager.rollups({ from: 0, to: 86_400_000, by: "hour" })],
    ["exported()", () => collect(manager.exported())],
    ["schedules()", () => collect(scheduler.schedules({ limit: 3 }))],
    ["backfills()", () => collect(scheduler.backfills())],
    ["snapshot()", () => snapshot(manager)],
    ["run once", () => manager.run("golden-done", () => 1, { once: { key: "2026-11", keep: "1d" } })],
    ["once per key", () => manager.once("paid", "order-1", () => 1, { keep: "1d" })],
    ["why of a key", () => manager.why("paid")],
    ["commands of ojm exec", () => orphansOf(manager)],
    ["the previous command of ojm exec", () => new Predecessor(manager, OF_EXEC).orphan()],
    ["refused starts of ojm exec", () => sayRefusals(manager, OF_EXEC)],
    ["a reported command of ojm exec", () => markReported(manager, OF_EXEC, `${OF_EXEC}@2026-12-01T01:07:07.851Z`)],
    ["the last tick of a job file", () => new TickClaim(manager, clock, OF_FILE.name, OF_FILE.tick).look()],
    ["alerts", () => alerts(manager, clock)],
    ["ojm history", () => shown(given("runs").then((words) => runsText(words, manager, {})))],
    ["ojm locks", () => shown(given("locks").then((words) => locksText(words, manager)))],
  ];
  for (const name of NAMES) {
    calls.push(
      [`run("${name}")`, () => manager.run(name, () => 1)],
      [`start("${name}")`, async () => (await manager.start(name, { wait: 0 })).end()],
      [`lock("${name}")`, async () => (await manager.lock(name, { wait: 1_000 })).release()],
      [`hold("${name}")`, () => manager.hold(name, { reason: "disk", wait: 0 })],
      [`cancel("${name}")`, () => manager.cancel(name, { reason: "wrong month", wait: 1_000 })],
      [`why("${name}")`, () => manager.why(name)],
      [`waiters("${name}")`, () => manager.waiters(name)],
      [
        `log("${name}")`,
        async () => {
          for await (const { id } of manager.history({ name, limit: 2 }))
            await Promise.all([collect(manager.log(id)), manager.progress(id)]);
        },
      ],
      [`history("${name}")`, () => collect(manager.history({ name }))],
      [`unlock("${name}")`, () => manager.unlock(name, { reason: "it hangs" })],
      [`run("${name}") once more`, () => manager.run(name, () => 1, { wait: 0 })],
    );
  }
  for (const name of ["timed", "paused"]) {
    calls.push(
      [`add("${name}")`, () => scheduler.add(name, { every: 60_000 }, () => {})],
      [`next("${name}")`, () => scheduler.next(name, { limit: 3 })],
      [`ticks("${name}")`, () => collect(scheduler.ticks(name))],
      [`schedule why("${name}")`, () => scheduler.why(name)],
      [`pause("${name}")`, () => scheduler.pause(name, { reason: "holidays" })],
      [`resume("${name}")`, () => scheduler.resume(name, { reason: "over" })],
      [`backfill("${name}")`, () => scheduler.backfill(name, { from: 0, to: 60_000, reason: "late" })],
      [`stopBackfills("${name}")`, () => scheduler.stopBackfills(name, { reason: "enough" })],
      [`remove("${name}")`, () => scheduler.remove(name, { reason: "not needed" })],
    );
  }
  const queues = openQueues(manager, { clock });
  const reason = "fuzz";
  calls.push(
    ["queues()", () => collect(queues.list())],
    ["items()", () => collect(queues.items("mail"))],
    ["counts()", () => queues.counts("mail")],
    ["add to a queue", () => queues.add("mail", "z", { group: "ana", unique: { key: "order-1", replace: true } })],
    ["trigger", () => queues.trigger("mail", "newest", { key: "takes long" })],
    ["batch", () => queues.batch("mail", "batch 1", ["z"], { callback: { queue: "mail", data: null } })],
    ["pause of a queue", () => queues.pause("mail", { reason })],
    ["resume of a queue", () => queues.resume("mail", { reason })],
    ["redrive()", () => queues.redrive("mail", { reason })],
    ["work on a queue", () => workOn(queues, clock)],
    ["retry of an item", () => queues.retry("mail", "none", { reason })],
    ["discard of an item", () => queues.discard("mail", "none", { reason })],
    ["purge()", () => queues.purge("mail", { reason })],
    ["define()", () => queues.define("mail", { attempts: 1 })],
    ["queues.close()", () => queues.close({ grace: 0 })],
  );
  calls.push(["scheduler.close()", () => scheduler.close()]);
  calls.push(["prune()", () => manager.prune({ olderThan: 0 })], ["close()", () => manager.close()]);
  return calls;
}

/** Handles what waits for some seconds. */
async function workOn(queues: Queues, clock: FakeClock): Promise<void> {
  const worker = await queues.work("mail", () => "sent", { concurrency: 5 });
  await new Promise<void>((resolve) => clock.after(3_000, resolve));
  await worker.close({ grace: 0 });
}

/** Sends what waits, and checks for more. */
async function alerts(manager: JobManager, clock: FakeClock): Promise<void> {
  const opened = await openWith(manager, { rules: [RULE], clock, every: 1_000 }, new FakeReceiver().send);
  await new Promise<void>((resolve) => clock.after(3_000, resolve));
  await opened.close();
}

/** A table never contains terminal escapes, and each of its lines is a row. */
async function shown(printing: Promise<string>): Promise<void> {
  expect(await printing).not.toMatch(/(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
}

const isOurs = (error: unknown): boolean =>
  isChannelError(error) ||
  isLockError(error) ||
  isRunError(error) ||
  isScheduleError(error) ||
  isQueueError(error) ||
  error instanceof SkippedJob;

async function tryAll({ seed, entries }: Store): Promise<void> {
  const world = new World(seed);
  const store = await world.way();
  for (const one of entries) await plant(store, one);
  const one = await world.manager({ ttl: TTL }).catch((error: unknown) => {
    // The damaged entry of the format says that a later version wrote to the store: it is refused as a whole.
    if (isChannelError(error) && error.message.includes("needs a later version of ojm")) return undefined;
    throw error;
  });
  if (one === undefined) return;
  const refill = bounded(one.way);
  const settles = async (what: string, call: () => Promise<unknown>): Promise<void> => {
    refill();
    try {
      await world.clock.until(call());
    } catch (error) {
      if (!isOurs(error)) throw new Error(`${what}: ${(error as Error).stack}`, { cause: error });
    }
  };
  const calls = surface(one.manager, openScheduler(one.manager, { clock: world.clock }), world.clock);
  for (const [what, call] of calls.slice(0, -1)) await settles(what, call);
  // The entries that sweeps, heartbeats and the search for strays find.
  refill();
  await world.clock.advance(3 * TTL);
  refill();
  expect((await world.clock.until(one.manager.run("untouched", () => 5))).result).toBe(5);
  expect(await collect(one.manager.history({ name: "untouched" }))).toMatchObject([{ status: "completed" }]);
  await (await one.manager.lock("untouched")).release();
  for (const [what, call] of calls.slice(-1)) await settles(what, call);
  const next = await world.manager();
  await next.manager.close();
}

test("the samples are of every kind on the page Entries in the store, and of records of every status", () => {
  const onPage = examples.map(({ channel, key, value }) => kindOf(channel, key as Key, JSON.stringify(value)));
  expect(onPage.length).toBeGreaterThan(35);
  const statuses = ["cancelled", "completed", "failed", "running", "timeout"];
  expect(kinds).toEqual(expect.arrayContaining([...onPage, ...statuses.map((status) => `record, ${status}`)]));
});

// Loads what is imported on demand. That takes real time, and a clock that is simulated does not wait for it.
beforeAll(() => tryAll({ seed: 1, entries: [] }));

/**
 * Warnings about schedules that the calls removed or the damage changed, and not about a fault of ours. And
 * about a field that no version writes, in a state that must keep all fields: the warning names the field.
 */
const IS_NEWS =
  /^a worker of the queue ".*was not written by ojm|^the (schedule|ticks of|store had lost the schedule|store had lost which ticks of) "|^alerts wait, .*: value\.extra.* is Infinity, which JSON cannot hold$/;

fuzz({
  name: "entries",
  inputs,
  check: async (store) => {
    const warnings: string[] = [];
    const spy = vi.spyOn(process, "emitWarning").mockImplementation((warning) => {
      if (!IS_NEWS.test(String(warning))) warnings.push(String(warning));
    });
    try {
      await tryAll(store);
      expect(warnings).toEqual([]);
    } finally {
      spy.mockRestore();
    }
  },
  runs: { some: 50, many: 1_000 },
});
