import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { alertDamage } from "@ojm/alerts";
import { type Clock, type JobManager, type JobManagerOptions, openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { holdOf } from "@ojm/core/internal";
import { DAMAGE_CHECKS } from "@ojm/core/internal/operator";
import { openScheduler, type Scheduler, scheduleDamage } from "@ojm/schedule";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, it, onTestFinished } from "vitest";
import { openWith } from "../../packages/alerts/src/open.js";
import { FakeReceiver } from "../../packages/alerts/src/testing/receiver.js";
import { called } from "../../packages/cli/src/testing/called.js";
import { decodeValue, encodeValue } from "../../packages/core/src/channel/encoding/json.js";
import { encodeKey } from "../../packages/core/src/channel/encoding/key.js";
import { Database } from "../../packages/sqlite/src/testing/driver.js";
import { examples, kindOf, placeOf, shape } from "../support/entries-page.js";
import { ServerClock, whyNoServerClock } from "../torture/stores/server-clock.js";
import { type Contents, contentsOf } from "./contents.js";
import { KINDS, type KindOfStore, type OwnStore, unpack } from "./stores.js";

/*
 * Each release leaves one store of each kind here, in a folder of its name: this version must open all of
 * them, even in years. `npm run golden` makes the folder of the present version. `0.1.0-a1185a01` is of the
 * base version of the mixed cells, which knows no entry of the format.
 */

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const versions = readdirSync(FOLDER, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? one.name : []));

const DAY = 86_400_000;

type Golden = Contents & { readonly at: number };

const contentsIn = (version: string): Readonly<Record<KindOfStore, Golden>> =>
  JSON.parse(readFileSync(join(FOLDER, version, "contents.json"), "utf8"));

/** Opens a copy of a golden store until the test ends. `at`: the time on the clock of its server. */
async function copyOf(version: string, kind: KindOfStore, at?: number): Promise<OwnStore> {
  const { saved, open } = KINDS[kind];
  const copy = join(temporaryFolder(), saved);
  unpack(join(FOLDER, version, saved), copy);
  const store = await open(copy, at !== undefined && kind === "redis" ? serverAt(at) : undefined);
  onTestFinished(() => store.stop());
  return store;
}

/** The environment of a server for which it is now `at`. */
function serverAt(at: number): Readonly<Record<string, string>> {
  const clock = new ServerClock(temporaryFolder());
  clock.set(Math.round((at - Date.now()) / 1_000));
  return clock.env;
}

/** The clocks of a machine on which it is now `at`. Within a boot, a store uses the monotonic one. */
function clockAt(at: number): Clock {
  const ahead = at - systemClock.now();
  // Above 0, which could be mistaken for "never".
  const ticks = Math.max(ahead, 1_000 - systemClock.monotonic());
  return { ...systemClock, now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ticks };
}

interface Reading {
  readonly store: NonNullable<JobManagerOptions["chJobs"]>;
  readonly golden: Golden;
  /** The clock of the reader, if it is not that of the machine. */
  readonly clock?: Clock | undefined;
  /** Whether times to live start again with the restored store. */
  readonly restarts: boolean;
}

/** Whether an entry that was to end at `end` is there. `either`: some clocks were three days behind. */
function lifeOf({ clock = systemClock, restarts }: Reading, end: number): "over" | "left" | "either" {
  if (restarts || clock.now() < end - DAY) return "left";
  return clock.now() > end + 4 * DAY ? "over" : "either";
}

/** Opens the store as a program does, and checks all that it finds and does there. */
async function read(reading: Reading): Promise<void> {
  const { store, golden, clock } = reading;
  const given = { ...(clock !== undefined && { clock }) };
  const manager = await openJobManager({ chJobs: store, chLocks: store, ...given });
  const scheduler = openScheduler(manager, given);
  onTestFinished(async () => {
    await scheduler.close();
    await manager.close();
  });
  await findsAll(reading, manager, scheduler);
  await endsOpenRuns(golden, manager);
  await keepsHolds(reading, manager);
  await makesRetries(reading, manager);
  await alerts(reading, manager);
  await runsAgain(golden, manager);
  await runsSchedules(reading, manager, scheduler);
}

/** The runs, logs, schedules, audit and rollups are there as they were. */
async function findsAll(reading: Reading, manager: JobManager, scheduler: Scheduler): Promise<void> {
  const { golden } = reading;
  const found = await contentsOf(manager, scheduler, golden.at);
  hasRecords(golden, found);
  for (const job of golden.rollups) {
    // A run that was open is lost by now.
    if (golden.open.some((id) => id.startsWith(`${job.name}@`))) continue;
    expect(found.rollups.find(({ name }) => name === job.name)).toMatchObject(job);
  }
  expect(found.schedules).toMatchObject(golden.schedules);
  hasTicks(reading, found);
  for (const retry of golden.retries) {
    const life = lifeOf(reading, retry.due + 30 * DAY);
    const same = found.retries.filter(({ chain }) => chain === retry.chain);
    if (life === "left") expect(same).toMatchObject([retry]);
    if (life === "over") expect(same).toEqual([]);
  }
}

function hasRecords(golden: Golden, found: Contents): void {
  for (const { record, log, progress } of golden.runs) {
    const same = found.runs.find((run) => run.record.id === record.id);
    expect(same?.record).toMatchObject(record);
    expect(same?.log).toMatchObject(log);
    if (progress !== undefined) expect(same?.progress).toMatchObject(progress);
  }
  for (const entry of golden.audit)
    expect(found.audit).toContainEqual(expect.objectContaining(JSON.parse(JSON.stringify(entry))));
}

function hasTicks(reading: Reading, found: Pick<Contents, "ticks">): void {
  for (const tick of reading.golden.ticks) {
    const life = lifeOf(reading, (tick.decided ?? tick.at) + 30 * DAY);
    const same = found.ticks.filter(({ schedule, at }) => schedule === tick.schedule && at === tick.at);
    if (life === "left") expect(same).toMatchObject([tick]);
    if (life === "over") expect(same).toEqual([]);
  }
}

/** The runs whose processes are gone are lost, at the latest when their sessions end. */
async function endsOpenRuns({ open }: Golden, manager: JobManager): Promise<void> {
  expect(open.length).toBeGreaterThan(2);
  for (const id of open) {
    await expect
      .poll(async () => {
        await manager.sweep();
        return (await manager.wait(id, { timeout: 0 }))?.status;
      })
      .toBe("lost");
  }
}

/** A hold that is not over keeps runs away until it is unlocked. */
async function keepsHolds(reading: Reading, manager: JobManager): Promise<void> {
  const now = (reading.clock ?? systemClock).now();
  expect(reading.golden.holds.length).toBe(2);
  for (const { name, hold } of reading.golden.holds) {
    if (reading.restarts || hold.until > now) {
      const held = (await manager.heldLocks()).find((lock) => lock.name === name);
      expect(held && holdOf(held)).toMatchObject(hold);
      await expect(manager.start(name, { wait: 0 })).rejects.toMatchObject({ code: "LOCKED" });
      expect(await manager.unlock(name, { reason: "it is over" })).toMatchObject({ unlocked: true });
    }
    await manager.run(name, () => {}, { wait: 0 });
  }
}

/** An attempt that is due is made by the next process, and one that is not due stays. */
async function makesRetries(reading: Reading, manager: JobManager): Promise<void> {
  const now = (reading.clock ?? systemClock).now();
  for (const { name, chain, attempt, due } of reading.golden.retries) {
    const life = lifeOf(reading, due + 30 * DAY);
    if (life === "left") {
      const orphaned = async (): Promise<unknown> =>
        (await manager.orphanedRetries(name)).map((retry) => retry.attempt);
      await expect.poll(orphaned).toEqual([attempt]);
      if (due > now) continue;
      const made = await manager.takeOver(name, (run) => run.attempt);
      expect(made).toMatchObject({ result: attempt, record: { chain, attempt } });
    } else if (life === "over") expect(await manager.takeOver(name, () => 0)).toBeUndefined();
    else await manager.takeOver(name, () => 0);
    expect((await manager.retries(name)).map((retry) => retry.chain)).not.toContain(chain);
  }
}

/** Each job runs again, with a higher fence than any before; but not a second time for the same purpose. */
async function runsAgain({ fence, runs, open }: Golden, manager: JobManager): Promise<void> {
  const names = new Set([...runs.map(({ record }) => record.name), ...open.map((id) => id.slice(0, id.indexOf("@")))]);
  expect(names.size).toBeGreaterThan(10);
  for (const name of names) {
    const { record } = await manager.run(name, () => {}, { wait: "1m" });
    expect(record).toMatchObject({ status: "completed" });
    expect((record.fence ?? "") > fence).toBe(true);
  }
  const once = { key: "2026-11", keep: "1d" } as const;
  await expect(manager.run("golden-done", () => {}, { once })).rejects.toMatchObject({ code: "STARTED" });
}

/** A scheduler continues after the last decided tick, and a pause continues. */
async function runsSchedules(reading: Reading, manager: JobManager, scheduler: Scheduler): Promise<void> {
  const { schedules } = reading.golden;
  expect(schedules.length).toBeGreaterThan(4);
  const ran: string[] = [];
  for (const { name, definition } of schedules)
    await scheduler.add(name, definition, (run) => void ran.push(`${run.name} ${run.tick?.at}`));
  // It is refused while a missed tick runs.
  let run: string | undefined;
  await expect
    .poll(async () => {
      run = await scheduler.runNow("golden-timed", { reason: "to see that it runs" }).catch(() => undefined);
      return run;
    })
    .toBeDefined();
  expect(await manager.wait(run ?? "")).toMatchObject({
    status: "completed",
    trigger: expect.stringContaining("run now by"),
  });
  const now = await contentsOf(manager, scheduler, reading.golden.at);
  expect(now.schedules).toMatchObject(schedules);
  hasTicks(reading, now);
  const decided = reading.golden.ticks.flatMap(({ schedule, at, outcome }) =>
    outcome === "run" ? `${schedule} ${at}` : [],
  );
  expect(decided.length).toBeGreaterThan(2);
  expect(ran.filter((tick) => decided.includes(tick))).toEqual([]);
}

/** An alert that waits for its receiver is sent once, and the rule knows which job is down. */
async function alerts(reading: Reading, manager: JobManager): Promise<void> {
  const { clock, golden } = reading;
  const life = lifeOf(reading, golden.at + 400 * DAY);
  const receiver = new FakeReceiver();
  const to = { webhook: "https://example.com/hook" };
  const rule = { id: "golden-rule", on: ["failed", "recovered"] as const, jobs: ["golden-alerted"], to };
  const opened = await openWith(manager, { rules: [rule], ...(clock !== undefined && { clock }) }, receiver.send);
  if (life === "left") await expect.poll(() => receiver.reported).toEqual(["failed golden-alerted"]);
  await manager.run(rule.jobs[0] ?? "", () => Promise.reject(new Error("again"))).catch(() => {});
  const reported = life === "left" ? 2 : 1;
  if (life !== "either")
    await expect.poll(() => receiver.reported).toEqual(Array(reported).fill("failed golden-alerted"));
  await manager.run(rule.jobs[0] ?? "", () => {});
  await expect.poll(() => receiver.reported.at(-1)).toBe("recovered golden-alerted");
  await opened.close();
}

/** The commands answer, and find nothing damaged. */
async function commandsAnswer(text: string): Promise<void> {
  const folder = temporaryFolder();
  const ojm = async (...[command = "", ...words]: string[]): Promise<string> => {
    const { code, out } = await called(folder, [command, "--store", text, ...words]);
    // The findings of doctor, such as a schedule that no process runs, set its exit code.
    expect([command, code]).toEqual([command, command === "doctor" ? expect.any(Number) : 0]);
    return out;
  };
  const findings = JSON.parse(await ojm("doctor", "--json")) as { check: string; state: string }[];
  expect(findings.filter(({ check, state }) => check === "entries" && state !== "ok")).toEqual([]);
  const answers = {
    ps: "",
    jobs: "golden-done",
    next: "golden-timed",
    locks: "golden-held",
    runs: "golden-failed",
    "ticks golden-timed": "golden-timed",
    "audit golden-forced": "it hangs",
    "logs golden-done": "again",
    "show golden-failed": "still no data",
    "why golden-paused": "no data",
  };
  for (const [words, answer] of Object.entries(answers)) expect(await ojm(...words.split(" "))).toContain(answer);
  await ojm("exec", "golden-exec", "--wait", "1m", "--", "true");
}

/** The version of ojm that wrote a folder: it may have the name of a commit, too. */
const ojmOf = (version: string): string => version.replace(/-.*/, "");

describe.each(versions)("the golden stores of %s", (version) => {
  const contents = contentsIn(version);

  describe.each(Object.keys(KINDS) as KindOfStore[])("%s", (kind) => {
    const { missing } = KINDS[kind];
    const golden = contents[kind];
    const tags = kind === "sqlite" ? [] : ["full"];
    const restarts = kind === "etcd";

    if (missing !== undefined) {
      it.skip(missing, () => {});
      return;
    }

    it("is read by the commands", { tags }, async () => {
      await commandsAnswer((await copyOf(version, kind)).text);
    });

    it("is read and continued by a program", { tags }, async () => {
      const { store } = await copyOf(version, kind);
      await read({ store, golden, restarts });
    });

    // A restored etcd starts the times to live again, whatever the time is. And with a clock of its own, a
    // program cannot take a LevelDB folder for its own alone.
    const noClock = kind === "redis" ? whyNoServerClock() : undefined;
    for (const days of kind === "sqlite" || kind === "redis" ? [20, 3_650] : []) {
      const title = `is read and continued ${days} days after it was written`;
      if (noClock !== undefined) it.skip(`${title}: ${noClock}`, () => {});
      else
        it(title, { tags }, async () => {
          const at = golden.at + days * DAY;
          const { store } = await copyOf(version, kind, at);
          await read({ store, golden, restarts, clock: clockAt(at) });
        });
    }
  });

  it("an import of the export has the same contents", async () => {
    const folder = temporaryFolder();
    unpack(join(FOLDER, version, "export.jsonl"), join(folder, "export.jsonl"));
    const { code, out } = await called(folder, ["import", "export.jsonl", "--store", "sqlite:new.db", "--json"]);
    const golden = contents.sqlite;
    expect(JSON.parse(out)).toMatchObject({ from: { store: "sqlite", ojm: ojmOf(version) }, runs: { leftOut: {} } });
    expect(code).toBe(0);
    const file = { type: "sqlite", args: { file: join(folder, "new.db") } };
    await using manager = await openJobManager({ chJobs: file, chLocks: file });
    await using scheduler = openScheduler(manager);
    const found = await contentsOf(manager, scheduler, golden.at);
    hasRecords(golden, found);
    expect(found.runs.length).toBe(golden.runs.length);
    expect(found.schedules).toMatchObject(golden.schedules);
    hasTicks({ store: file, golden, restarts: false }, found);
    expect([found.open, found.holds, found.retries]).toEqual([[], [], []]);
  });

  it("this version encodes each kind of entry as they have it, and its page describes the kind", async () => {
    const lines = readFileSync(join(FOLDER, version, "entries.txt"), "utf8")
      .trimEnd()
      .split("\n");
    expect(lines.length).toBeGreaterThan(35);
    const copy = join(temporaryFolder(), "store");
    unpack(join(FOLDER, version, KINDS.sqlite.saved), copy);
    const db = new Database(copy, { readonly: true });
    const stored = db.prepare<[string], string>("SELECT value FROM entries WHERE key = ?").pluck();
    const shown = new Set(examples.map(({ channel, key }) => shape(channel, key)));
    const checks = [...DAMAGE_CHECKS, scheduleDamage, alertDamage];
    for (const line of lines) {
      const [key = "", text = ""] = line.split("\t");
      expect([key, stored.get(key)]).toEqual([key, text]);
      const place = placeOf(key);
      expect(encodeKey(place.key as never)).toBe(place.text);
      const value = decodeValue(text, key);
      expect(encodeValue(value)).toBe(text);
      const check = checks.find(({ channel }) => channel === place.channel);
      expect([key, check?.isDamaged({ key: place.key as never, value })]).toEqual([key, false]);
      expect([key, shown.has(kindOf(key))]).toEqual([key, true]);
    }
    db.close();
  });
});
