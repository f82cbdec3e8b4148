import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Channel, type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { identityOf, processIdentity } from "@ojm/core/internal";
import { openScheduler, schedulesIn } from "@ojm/schedule";
import { followStore, PROBLEM_KINDS, snapshot } from "@ojm/schedule/operator";
import { folderWith } from "@ojm/testing/folder";
import { openUi } from "@ojm/ui";
import { expect, onTestFinished, test } from "vitest";
import { openWith } from "../packages/alerts/src/open.js";
import { FakeReceiver } from "../packages/alerts/src/testing/receiver.js";
import { otherReasons } from "../packages/cli/src/commands/exec/other-reasons.js";
import { examine } from "../packages/cli/src/commands/look/doctor/doctor.js";
import { LiveStore } from "../packages/cli/src/commands/look/top/data/live-store.js";
import { storeIn } from "../packages/cli/src/testing/store.js";

/*
 * One store with every kind of problem, and with harmless entries: `ojm top`, `ojm doctor`, the page Now and
 * the alerts find the same in it, each for the kinds that it shows, and in the same words.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A problem in the form that all of them show. */
type Shown = readonly [kind: string, name: string, text: string];

const byName = (shown: readonly Shown[]): Shown[] => shown.toSorted(([, a], [, b]) => (a < b ? -1 : 1));

/** A manager whose clock is behind: its entries look as if they were written that long ago. */
async function behind(folder: string, ms: number): Promise<JobManager> {
  const store = { type: "sqlite", args: { file: join(folder, "ojm.db") } };
  const clock = { ...systemClock, now: () => Date.now() - ms };
  const manager = await openJobManager({ chJobs: store, chLocks: store, clock });
  onTestFinished(() => manager.close());
  return manager;
}

const fails = (): Promise<never> => Promise.reject(new Error("no route"));

/** Writes records of runs that are over. */
async function ended(manager: JobManager, name: string, ago: number, more: Partial<RunRecord>): Promise<void> {
  const startTime = Date.now() - ago;
  const startDate = new Date(startTime).toISOString();
  const importer = await manager.openImport();
  await importer.add({
    run: {
      ...{ name, startTime, startDate, id: `${name}@${startDate}`, trigger: "manual", fence: "1", timeout: HOUR },
      ...{ holder: { host: "h", pid: 1, instance: "i" }, endTime: startTime + 1, duration: 1, inError: true },
      ...{ status: "failed", ...more },
    } as RunRecord,
  });
  await importer.flush();
}

/** A store with each kind of problem. Its schedules belong to a process that is gone. */
async function troubled(folder: string): Promise<JobManager> {
  const manager = await storeIn(folder);
  const locks = manager.channels.locks as Channel<unknown>;
  const orphan = spawn("sleep", ["600"]);
  onTestFinished(() => void orphan.kill("SIGKILL"));
  const begun = `orphaned@${new Date().toISOString()}`;
  await locks.set(["exec", "orphaned"], { ...identityOf(orphan.pid ?? 0), run: begun, ojm: identityOf(process.pid) });
  const early = await behind(folder, 120_000);
  const asked = await early.start("ignores-cancel");
  await early.cancel("ignores-cancel", { reason: "wrong month", author: "ana", wait: 0 });
  for (let i = 0; i < 3; i++) await manager.run("long", () => {});
  const long = await early.start("long");
  onTestFinished(async () => {
    for (const run of [asked, long]) await run.end().catch(() => {});
  });
  await ended(manager, "lost", 2 * DAY, { status: "lost", error: "its process ended" });
  await ended(manager, "failed", 2 * DAY, { error: "no route" });
  await ended(manager, "timeout", 2 * HOUR, { status: "timeout", error: "too long" });
  await ended(manager, "failed long ago", 8 * DAY, { error: "no route" });
  await ended(manager, "mended", 2 * HOUR, { error: "no route" });
  await manager.run("mended", () => {});
  const cancelled = await manager.start("cancelled");
  await cancelled.cancel();
  const over = new AbortController();
  const tried = manager.run("tried again", fails, { retry: { attempts: 2, delay: HOUR }, signal: over.signal });
  tried.catch(() => {});
  onTestFinished(() => over.abort());
  await expect.poll(async () => (await manager.retries()).length).toBe(1);
  const [next] = await manager.retries();
  const { by: _, ...left } = { ...next, name: "orphaned-retry", chain: "orphaned-retry@2026-01-01T00:00:00.000Z" };
  await locks.set(["retry", "orphaned-retry", left.chain], left);
  const hold = { reason: "the schema changes", author: "ana", until: Date.now() + HOUR };
  await manager.hold("held", hold);
  const gone = openScheduler(manager);
  const hourly = { every: HOUR, missed: "none" } as const;
  for (const name of ["unattended", "older", "overdue", "paused", "well"]) await gone.add(name, hourly, () => {});
  await gone.pause("paused", { reason: "holidays", author: "bo" });
  await gone.close();
  await ended(manager, "unattended", 8 * DAY, { status: "lost" });
  const schedules = await manager.channel<unknown>("oJobManager-schedules");
  const tick = Math.floor(Date.now() / HOUR) * HOUR;
  for (const name of ["unattended", "older", "overdue"]) await schedules.set(["cursor", name], { at: tick - 3 * HOUR });
  for (const name of ["paused", "well"]) await schedules.set(["cursor", name], { at: tick });
  // A live scheduler that decides on nothing.
  const hashes: [string, string][] = [];
  for await (const { name, hash } of schedulesIn(manager)) {
    if (name === "overdue" || name === "well") hashes.push([name, hash]);
    if (name === "older") hashes.push([name, "another"]);
  }
  const process_ = processIdentity();
  const by = { host: process_.host, pid: process_.pid, instance: "stuck" };
  await schedules.set(["member", "stuck", 0], { schedules: hashes });
  await schedules.set(["member", "stuck"], { by, parts: 1, process: process_ }, { ttl: 600_000 });
  return manager;
}

/** The problems that `ojm top` shows. */
async function inTop(folder: string): Promise<Shown[]> {
  const live = new LiveStore("a store", await storeIn(folder), () => {});
  const closing = new AbortController();
  const over = live.follow(closing.signal);
  onTestFinished(async () => {
    closing.abort();
    await over;
  });
  const problems = () => live.snapshot(Date.now()).problems;
  // Data that no watch reports is read once the rest is known.
  await expect.poll(() => problems().some(({ kind }) => kind === "orphaned")).toBe(true);
  return problems().map(({ kind, name, text }) => [kind, name, text]);
}

/** The problems that the page *Now* shows. */
async function inNow(manager: JobManager): Promise<Shown[]> {
  const reasons = (name?: string, running?: ReadonlySet<string>) => otherReasons(manager, name, running);
  const ui = openUi({ manager, reasons, authorize: () => ({ user: "ana", role: "read" }) });
  onTestFinished(() => ui.close());
  const answer = await ui.fetch(
    new Request("http://localhost:7717/api/v1/now", { headers: { Host: "localhost:7717" } }),
  );
  const { problems } = (await answer.json()) as { problems: { kind: string; name: string; text: string }[] };
  return problems.map(({ kind, name, text }) => [kind, name, text]);
}

/** The problems that `ojm doctor` shows, of the kinds that it has. */
async function inDoctor(manager: JobManager): Promise<Shown[]> {
  return (await examine(manager, [])).flatMap(({ text, evidence }): Shown[] => {
    const { kind, name } = evidence ?? {};
    if (typeof kind !== "string" || typeof name !== "string") return [];
    return [[kind, name, text.replace(`"${name}": `, "")]];
  });
}

/** The alerts of the last three days, as `kind name text`. */
async function inAlerts(manager: JobManager): Promise<Shown[]> {
  const receiver = new FakeReceiver();
  const to = { webhook: "https://example.com/hook" };
  const rules = [{ id: "all", on: ["failed", "lost", "timeout", "missed"], to }] as const;
  // The rule began three days ago.
  const clock = { ...systemClock, now: () => Date.now() - 3 * DAY };
  await (await openWith(manager, { rules, clock }, receiver.send)).close();
  await using _ = await openWith(manager, { rules }, receiver.send);
  await expect.poll(() => receiver.taken.length).toBeGreaterThan(6);
  return receiver.taken.map(({ kind, name, error = "" }) => [kind, name, error]);
}

test("top, doctor, Now and the alerts find the same problems in one store, in the same words", async () => {
  const folder = folderWith({});
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const manager = await troubled(folder);
  const { problems } = await snapshot(manager, {
    orphans: async () => [{ name: "orphaned", run: "x", text: "" }],
  });
  // Each kind is shown, in the order of the ranking, and harmless entries are not.
  expect(problems.map(({ kind, name }) => [kind, name])).toEqual([
    ["orphaned", "orphaned"],
    ["ignores-cancel", "ignores-cancel"],
    ["unattended", "older"],
    ["unattended", "unattended"],
    ["orphaned-retry", "orphaned-retry"],
    ["lost", "lost"],
    ["failed", "failed"],
    ["timeout", "timeout"],
    ["overdue", "overdue"],
    ["long", "long"],
    ["held", "held"],
    ["paused", "paused"],
  ]);
  expect(new Set(problems.map(({ kind }) => kind))).toEqual(new Set(PROBLEM_KINDS));
  const now = await inNow(manager);
  expect(now.map(([kind, name]) => [kind, name])).toEqual(problems.map(({ kind, name }) => [kind, name]));
  expect(await inTop(folder)).toEqual(now);
  const checked = new Set(["orphaned", "unattended", "orphaned-retry", "overdue", "held", "paused"]);
  const ofStore = now.filter(([kind]) => checked.has(kind));
  const doctor = await inDoctor(manager);
  // The advice of doctor names the jobs that a command keeps from running.
  const shortened = ofStore.map(([kind, name, text]) => [kind, name, kind === "orphaned" ? text.split(". ")[0] : text]);
  expect(doctor).toEqual(shortened);
  const texts = new Map(now.map(([, name, text]) => [name, text]));
  const alerts = byName(await inAlerts(manager));
  // An overdue tick is reported as missed; how the last run ended is an alert of its own.
  const words = (name: string): string => (texts.get(name) ?? "").replace(/; its last run .*/, "");
  expect(alerts).toEqual(
    byName([
      ...["failed", "lost", "timeout"].map((kind): Shown => [kind, kind, words(kind)]),
      // An alert is about an event: even a failure after which a run went well.
      ["failed", "mended", "no route"],
      ...["older", "overdue", "unattended"].map((name): Shown => ["missed", name, words(name)]),
    ]),
  );
  const live = followStore(manager, { signal: AbortSignal.timeout(60_000) });
  await live.ready;
  const followed = (await live.fresh()).problems.map(({ kind, name, text }) => [kind, name, text]);
  expect(followed).toEqual(now.filter(([kind]) => kind !== "orphaned"));
});
