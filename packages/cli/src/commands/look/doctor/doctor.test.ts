import { hostname } from "node:os";
import { join } from "node:path";
import { type Channel, ChannelError, type JobManager, type RunRecord } from "@ojm/core";
import { processIdentity, VERSIONS } from "@ojm/core/internal";
import { openScheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { rejection } from "../../../../../core/src/testing/settle.js";
import { ojm } from "../../../testing/ojm.js";
import { storeIn } from "../../../testing/store.js";
import { examine, groupText } from "./doctor.js";
import type { Finding } from "./finding.js";
import { checkClocks } from "./process-checks.js";

const HOUR = 3_600_000;

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

/** The findings that are not ok. */
async function complaints(): Promise<Finding[]> {
  return (await examine(manager, [])).filter(({ state, check }) => state !== "ok" && check !== "disk");
}

describe("a store that is well", () => {
  test("each check is ok, with its numbers, and nothing stays behind in the store", async () => {
    await manager.run("import", () => {});
    const run = await manager.start("report");
    const lease = await manager.lock("plain");
    const findings = await examine(manager, [join(folder, "ojm.db")]);
    expect(findings.filter(({ state, check }) => state !== "ok" && check !== "disk")).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      "round trips",
      "store",
      "format",
      "disk",
      "entries",
      "versions",
      "clocks",
      "sessions",
      "locks",
      "schedulers",
    ]);
    const evidence = Object.fromEntries(findings.map((finding) => [finding.check, finding.evidence]));
    expect(evidence["round trips"]).toMatchObject({ reads: { p50: expect.any(Number), p99: expect.any(Number) } });
    expect(evidence["store"]).toMatchObject({ shared: "host" });
    expect(evidence["versions"]).toMatchObject({ here: VERSIONS, runs: 2, others: {} });
    expect(evidence["sessions"]).toEqual({ alive: 1, hosts: { [hostname()]: 1 } });
    expect(evidence["locks"]).toEqual({ held: 2, plain: 1 });
    expect(await (await manager.channel("oJobManager-doctor")).size()).toBe(0);
    await run.end();
    await lease.release();
  });
});

test("sessions are counted without doctor itself, and without processes that hold and want no lock", async () => {
  const sessions = async (): Promise<string | undefined> => {
    const { out } = await ojm(folder, "doctor", "--json", "--store", "sqlite:ojm.db");
    return (JSON.parse(out) as Finding[]).find(({ check }) => check === "sessions")?.text;
  };
  expect(await sessions()).toBe("no process holds or wants a lock");
  const run = await manager.start("report");
  expect(await sessions()).toBe(
    `1 session (${hostname()}: 1): a process has one only while it holds or wants a lock, and for a moment after`,
  );
  await run.end();
});

test("a store that goes away during the check costs one call without an answer", async () => {
  const channel = await manager.channel<number>("oJobManager-doctor");
  const away = new ChannelError("UNAVAILABLE", "the store is away", { retryable: true });
  const calls: string[] = [];
  for (const call of ["set", "unset"] as const)
    vi.spyOn(channel, call).mockImplementation(() => {
      calls.push(call);
      return Promise.reject(away);
    });
  await expect(examine(manager, [])).rejects.toBe(away);
  expect(calls).toEqual(["set"]);
});

describe("a store that is not", () => {
  test("a later version wrote a format that this one does not know", async () => {
    const formats = await manager.channel("oJobManager-format");
    await formats.set(["format"], { wrote: 3, reads: 1, ojm: "0.2.0" });
    const [finding, ...more] = await complaints();
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ check: "format", state: "warning", evidence: { wrote: 3, reads: 1, here: 2 } });
    expect(finding?.text).toContain("ojm 0.2.0 wrote entries of format 3");
    await formats.set(["format"], { wrote: 3, reads: 3, ojm: "0.2.0" });
    const { code, err } = await ojm(folder, "ps", "--store", "sqlite:ojm.db");
    expect(code).toBe(2);
    expect(err).toMatch(/the store needs a later version of ojm: .*Upgrade all @ojm packages to 0\.2\.0 or later/);
  });

  test("a lock whose run is over, and a run without its lock, are problems; a hold is a warning, a plain lock is neither", async () => {
    const held = await manager.start("held");
    await manager.hold("kept", { reason: "the schema changes" });
    await using _ = await manager.lock("plain");
    const { jobs } = manager.channels;
    const record = (await jobs.get({ name: "held", startTime: held.startTime })) as RunRecord;
    await jobs.set({ name: "held", startTime: held.startTime }, { ...record, status: "completed" });
    await jobs.set({ name: "open", startTime: 7 }, { ...record, name: "open", startTime: 7, id: "open@1970" });
    const found = await complaints();
    expect(found.map(({ check, state, evidence }) => [check, state, evidence?.["name"]])).toEqual([
      ["locks", "problem", "held"],
      ["runs", "problem", "open"],
      ["holds", "warning", "kept"],
    ]);
    expect(found[0]?.help).toMatch(/ojm unlock held/);
    // The process that the help says to look at.
    for (const { evidence } of found.slice(0, 2))
      expect(evidence).toMatchObject({ host: hostname(), pid: process.pid });
    const { code, out } = await ojm(folder, "doctor", "--json", "--store", "sqlite:ojm.db");
    expect([code, (JSON.parse(out) as Finding[]).filter(({ state }) => state === "problem").length]).toEqual([1, 2]);
  });

  const FAR = { attempts: 2, delay: 3_600_000 };

  test("an attempt that no process makes is a warning", async () => {
    const work = manager.run("left", () => Promise.reject(new Error("no")), {
      retry: { attempts: 2, delay: 3_600_000 },
    });
    work.catch(() => {});
    await expect.poll(async () => (await manager.retries()).length).toBe(1);
    const key = ["retry", "left", (await manager.retries())[0]?.chain ?? ""];
    const locks = manager.channels.locks as Channel<unknown>;
    await locks.set(key, { ...((await locks.get(key)) as object), due: Date.now() - 120_000 });
    const [found, ...others] = await complaints();
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      state: "warning",
      text: expect.stringMatching(/^attempt 2 of left@.*, is not made by pid \d+ on \S+, which is alive$/),
    });
    expect(found?.help).toContain("ojm cancel left --reason");
    // An attempt whose lock has another name, and is held, is only waiting.
    const entry = (await locks.get(key)) as object;
    const holder = await manager.start("other", { lock: "shared" });
    await locks.set(key, { ...entry, lock: "shared" });
    expect(await complaints()).toEqual([]);
    await holder.end();
    await locks.set(key, entry);
    // So is one whose permit is taken, or whose rate is used up.
    const rate = { name: "smtp", max: 1, per: 3_600_000 };
    for (const taking of [{ permits: { stripe: 1 } }, { rate }]) {
      const failed = rejection(manager.run("waits", () => Promise.reject(new Error("no")), { ...taking, retry: FAR }));
      await expect.poll(async () => (await manager.retries("waits")).length).toBe(1);
      const waits = ["retry", "waits", (await manager.retries("waits"))[0]?.chain ?? ""];
      await locks.set(waits, { ...((await locks.get(waits)) as object), due: Date.now() - 120_000 });
      await locks.unset(key);
      const other = "permits" in taking ? await manager.start("other", taking) : undefined;
      expect(await complaints()).toEqual([]);
      await other?.end();
      if (other !== undefined) expect(await complaints()).toHaveLength(1);
      await locks.set(key, entry);
      await manager.cancel("waits", { reason: "tested" });
      expect(await failed).toMatchObject({ code: "CANCELLED" });
    }
    // Its session ends while doctor reads: one finding still names it.
    let reads = 0;
    const orphaned = manager.orphanedRetries.bind(manager);
    const flips = vi.spyOn(manager, "orphanedRetries").mockImplementation(async (of) => {
      if (reads++ % 2 === 0 || typeof of !== "object") return orphaned(of);
      return of;
    });
    for (let i = 0; i < 2; i++) expect((await complaints()).map(({ check }) => check)).toEqual(["runs"]);
    expect(reads).toBe(2);
    flips.mockRestore();
  });

  test("sessions that no process renews, and other versions, are warnings", async () => {
    const { jobs, locks } = manager.channels;
    const process = { ...processIdentity(), host: "elsewhere", boot: "another" };
    const session = { process, since: Date.now(), beat: 7, ojm: VERSIONS.ojm };
    await locks.set(["session", "1-a"], { id: "1-a", ...session }, { ttl: 4_000 });
    await locks.set(["session", "1-b"], { id: "1-b", ...session }, { ttl: 15_000 });
    const { record } = await manager.run("import", () => {});
    await jobs.set(
      { name: "import", startTime: record.startTime },
      { ...record, versions: { ojm: "0.0.1", node: "18" } },
    );
    const found = await complaints();
    expect(found.map(({ check, state }) => [check, state])).toEqual([
      ["versions", "warning"],
      ["sessions", "warning"],
    ]);
    expect(found[0]?.text).toMatch(/of the last 1 run: ojm 0\.0\.1 on Node 18 in 1 run\. In use: /);
    expect(found[1]?.evidence).toMatchObject({ session: "1-a", host: "elsewhere" });
  });

  test("several versions of ojm in use are a note, with their processes, and no problem", async () => {
    const { locks } = manager.channels;
    const lease = await manager.lock("plain");
    const since = Date.now();
    const process = { ...processIdentity(), host: "elsewhere", boot: "another", pid: 7 };
    await locks.set(["session", "7-a"], { id: "7-a", process, since, beat: 1, ojm: "9.0.0" }, { ttl: 60_000 });
    await locks.set(["session", "7-b"], { id: "7-b", process, since, beat: 1, ojm: "9.0.0" }, { ttl: 60_000 });
    const older = { ...process, pid: 8 };
    await locks.set(["session", "8-a"], { id: "8-a", process: older, since, beat: 1 }, { ttl: 60_000 });
    // A scheduler without a lock has no session.
    const idle = { by: { host: "elsewhere", pid: 9, instance: "idle" }, parts: 0, ojm: "8.0.0" };
    const schedules = await manager.channel("oJobManager-schedules");
    await schedules.set(["member", "idle"], idle, { ttl: 14_900 });
    const [found, ...others] = await complaints();
    expect(others.filter(({ check }) => check === "versions")).toEqual([]);
    const here = `${VERSIONS.ojm} in ${hostname()}, pid ${globalThis.process.pid}`;
    const parts = [
      "9.0.0 in elsewhere, pid 7",
      "an earlier version in elsewhere, pid 8",
      "8.0.0 in elsewhere, pid 9",
      here,
    ];
    expect(found).toMatchObject({ check: "versions", state: "note" });
    for (const part of parts) expect(found?.text).toContain(part);
    expect(found?.evidence?.["processes"]).toContainEqual({ host: "elsewhere", pid: 7, ojm: "9.0.0" });
    const { code, out } = await ojm(folder, "doctor", "--store", "sqlite:ojm.db");
    expect([code, out.includes("note")]).toEqual([0, true]);
    await lease.release();
  });

  test("entries with values of a later version are notes, and doctor removes none of them", async () => {
    const { jobs, locks } = manager.channels;
    const { record } = await manager.run("import", () => {});
    const key = { name: "import", startTime: record.startTime };
    await jobs.set(key, { ...record, status: "partial" } as never);
    const waiting = [{ group: "g" }];
    await locks.set(["lock", "a", "queue"], { waiting } as never);
    await locks.set(["session", "1-a"], { id: "1-a", process: "unknown" } as never, { ttl: 60_000 });
    const found = await complaints();
    expect(found.map(({ check, state, evidence }) => [check, state, evidence])).toEqual([
      ["entries", "note", { channel: "oJobManager-locks", unknown: 2 }],
      ["entries", "note", { channel: "oJobManager-jobs", unknown: 1 }],
    ]);
    expect(found[1]?.text).toContain('["oJobManager-jobs",{"name":"import"');
    const entry = JSON.stringify(["oJobManager-locks", ["session", "1-a"]]);
    const { code, err } = await ojm(folder, "doctor", "--remove", entry, "--store", "sqlite:ojm.db");
    expect([code, err]).toEqual([2, expect.stringContaining("is not damaged: nothing was done")]);
  });

  test("schedules that are paused, that no process runs, or whose definitions differ are reported", async () => {
    const one = openScheduler(manager, { instance: "one" });
    await using two = openScheduler(manager, { instance: "two" });
    for (const name of ["left", "paused", "same"]) await one.add(name, { every: HOUR }, () => {});
    await two.add("paused", { every: HOUR }, () => {});
    await two.add("same", { every: 2 * HOUR }, () => {});
    await two.pause("paused", { reason: "holidays", author: "ana" });
    await expect
      .poll(async () => (await complaints()).map(({ check, state, evidence }) => [check, state, evidence?.["name"]]))
      .toEqual([
        ["pauses", "warning", "paused"],
        ["definitions", "warning", "same"],
      ]);
    const told = (await examine(manager, [])).find(({ check }) => check === "schedulers");
    expect(told?.text).toMatch(/^3 schedules, 2 processes that can run them \(.*, pid \d+: last heard \d+ s ago; /);
    await one.close();
    const found = await complaints();
    expect(found.map(({ check, state }) => [check, state])).toEqual([
      ["schedulers", "problem"],
      ["pauses", "warning"],
    ]);
    expect(found[0]?.text).toBe('"left": no process runs this schedule');
    expect(found[1]).toMatchObject({ text: '"paused": paused by ana: holidays' });
  });
});

test("schedules that no process runs take a line each, and from the sixth on one for all", async () => {
  const gone = openScheduler(manager);
  const names = Array.from({ length: 7 }, (_, i) => `report-${i}`);
  for (const name of names) await gone.add(name, { every: HOUR, missed: "none" }, () => {});
  await gone.pause("report-0", { reason: "holidays", author: "ana" });
  await gone.close();
  const alone = async (): Promise<unknown[]> =>
    (await complaints()).flatMap(({ check, evidence }) => (check === "schedulers" ? [evidence?.["name"]] : []));
  // A paused schedule is shown as paused.
  expect(await alone()).toEqual(names.slice(1));
  const { code, out } = await ojm(folder, "doctor", "--store", "sqlite:ojm.db");
  expect(code).toBe(1);
  const lines = out.split("\n");
  const at = lines.findIndex((line) => line.startsWith("problem"));
  expect(lines.slice(at, at + 8)).toEqual([
    'problem  schedulers   "report-1": no process runs this schedule',
    ...names.slice(2, 6).map((name) => `${" ".repeat(22)}"${name}": no process runs this schedule`),
    `${" ".repeat(22)}and 1 more: ojm jobs`,
    `${" ".repeat(22)}-> start the program that adds them: it then decides on the pending ticks. If no program adds them any more: ojm schedules rm NAME --reason …`,
    expect.stringMatching(/^warning {2}pauses {7}"report-0"/),
  ]);
});

test("of the schedules that no process runs, those whose ticks became overdue last come first, as everywhere", async () => {
  const gone = openScheduler(manager);
  for (const name of ["a", "b", "c"]) await gone.add(name, { every: HOUR, missed: "none" }, () => {});
  await gone.close();
  const channel = await manager.channel<{ readonly at: number }>("oJobManager-schedules");
  for (const [name, at] of [
    ["b", 2 * HOUR],
    ["c", 5 * HOUR],
  ] as const)
    await channel.set(["cursor", name], { at: Date.now() - at });
  const alone = (await complaints()).filter(({ check }) => check === "schedulers");
  expect(alone.map(({ evidence }) => evidence?.["name"])).toEqual(["a", "b", "c"]);
});

test("a queue of ticks that grows is a warning, and a few that wait are none", async () => {
  await using one = openScheduler(manager);
  const at = Math.floor(Date.now() / HOUR) * HOUR;
  const schedules = await manager.channel<unknown>("oJobManager-schedules");
  const lease = await manager.lock("slow");
  await one.add("slow", { every: HOUR, overlap: "queue" }, () => {});
  const queues = async (waiting: number): Promise<(string | undefined)[]> => {
    const ticks = Array.from({ length: waiting }, (_, i) => at - (waiting - i) * HOUR);
    await schedules.set(["cursor", "slow"], { at, waiting: ticks });
    return (await complaints()).filter(({ check }) => check === "queues").map(({ text }) => text);
  };
  expect(await queues(3)).toEqual([]);
  expect(await queues(12)).toEqual([expect.stringMatching(/^12 ticks of "slow" wait for their run, the first since /)]);
  await lease.release();
});

test("a scheduler that was killed elsewhere is reported, with when it was last heard; one of this machine is gone", async () => {
  const schedules = await manager.channel("oJobManager-schedules");
  const member = async (host: string, ttl: number): Promise<void> => {
    await schedules.set(["member", host, 0], { schedules: [["a", "hash"]] });
    const gone = { ...processIdentity(), host, started: "1" };
    const killed = host === hostname() ? gone : { ...gone, boot: "another" };
    const by = { host, pid: 7, instance: host };
    await schedules.set(["member", host], { by, parts: 1, process: killed, ojm: VERSIONS.ojm }, { ttl });
  };
  const found = async (host: string, ttl: number): Promise<string[]> => {
    await member(host, ttl);
    return (await complaints()).map(({ state, text, help }) => `${state}: ${text}. ${help}`);
  };
  // On a slow machine, the entry may be gone before it is read.
  await expect
    .poll(() => found("elsewhere", 4_000))
    .toEqual([
      expect.stringMatching(
        /^warning: elsewhere, pid \d+, which can run 1 schedule, was last heard 1\d s ago: it should be .* until 15 s after/,
      ),
    ]);
  await schedules.unset(["member", "elsewhere"]);
  expect(await found(hostname(), 4_000)).toEqual([]);
});

describe("the clocks", () => {
  const lock = (host: string, since: number, fence: string) => ({
    name: "a",
    holder: { host, pid: 1, instance: host },
    since,
    fence,
    waiting: 0,
  });
  const texts = (...locks: ReturnType<typeof lock>[]): (readonly [string, string])[] =>
    checkClocks({ now: 100_000, locks, sessions: [], runs: [] }).map(({ state, text }) => [state, text]);

  test("a time that lies ahead was written by a clock that is ahead", () => {
    expect(texts(lock("api-1", 105_000, "1"))).toEqual([
      ["warning", "the clock of api-1 is ahead of this one by 5.0 s or more"],
    ]);
    expect(texts(lock("api-1", 3_700_000, "1"))[0]?.[0]).toBe("problem");
    expect(texts(lock("api-1", 101_000, "1"))).toEqual([["ok", "no offset is seen of api-1"]]);
  });

  test("a lock that was taken later has the later time, or its clock is behind", () => {
    expect(texts(lock("api-1", 50_000, "9"), lock("api-2", 40_000, "10"))).toEqual([
      ["warning", "the clock of api-2 is behind that of api-1 by 10.0 s or more"],
    ]);
    expect(texts(lock("api-1", 50_000, "10"), lock("api-2", 40_000, "9"))[0]?.[0]).toBe("ok");
  });
});

test("a finding fits its screen, and a terminal obeys none of it", () => {
  const finding: Finding = {
    check: "pauses",
    state: "warning",
    text: `"report" is paused by ana since 2026-11-25T02:00:00.000Z: \u001b[2J holidays and more`,
    help: "to end that: ojm resume report",
  };
  const plain = (text: string): string => text;
  for (const width of [40, 80]) {
    const lines = groupText([finding], width, plain).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines.join("\n")).toContain("\\u001b[2J");
  }
  expect(groupText([finding], 80, plain)).toMatch(/^warning {2}pauses {7}"report" is paused by ana since/);
});
