import { once } from "node:events";
import type { JobManager } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { called } from "../../testing/called.js";
import { type Ended, type Ojm, start } from "../../testing/ojm.js";
import { storeIn } from "../../testing/store.js";
import { LiveStore } from "../look/top/data/live-store.js";

const STORE = ["--store", "sqlite:ojm.db"];

let folder: string;
let manager: JobManager;
beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

const exec = (name: string, script: string, ...options: readonly string[]): Ojm =>
  start(folder, "exec", name, ...STORE, ...options, "--", "sh", "-c", script);

const call = (...words: readonly string[]): Promise<Ended> => called(folder, [...words, ...STORE]);

const json = async (...words: readonly string[]): Promise<unknown[]> =>
  JSON.parse((await call(...words, "--json")).out) as unknown[];

/** Lets `ojm exec` fail, and kills it while it waits for its next attempt. Resolves to the id of the run. */
async function killedBetweenAttempts(...options: readonly string[]): Promise<string> {
  const failing = exec("dump", "exit 3", "--retry", "3", "--retry-delay", "1h", ...options);
  await expect.poll(() => failing.err).toContain("attempt 1 of 3 failed");
  failing.process.kill("SIGKILL");
  await once(failing.process, "exit");
  const [next] = await manager.retries("dump");
  return next?.chain ?? expect.fail("no attempt was left");
}

describe("an attempt of ojm exec whose ojm was killed", () => {
  test("is reported by ps, jobs, show, locks, doctor and why as one that no process makes, before it is due", async () => {
    await killedBetweenAttempts();
    const waits = /dump waits for attempt 2 of 3, due \S+Z: no process makes it, because its own process is gone\n$/;
    expect((await call("ps")).out).toMatch(waits);
    expect(await json("ps")).toMatchObject([{ name: "dump", status: "waiting", attempt: 2, orphaned: true }]);
    expect((await call("jobs")).out).toMatch(/^dump +no process makes attempt 2 /m);
    expect(await json("jobs")).toMatchObject([{ name: "dump", next: { attempt: 2, orphaned: true } }]);
    expect((await call("show", "dump")).out).toMatch(/^next attempt +2, due \S+Z: no process makes it/m);
    expect((await call("locks")).out).toMatch(/^dump +free .*2 of 3, due \S+Z: no process makes it/m);
    const help = "ojm exec dump -- COMMAND … begins a new run in its place; to end it: ojm cancel dump --reason …";
    expect(await json("doctor")).toContainEqual(
      expect.objectContaining({
        check: "runs",
        state: "warning",
        text: '"dump": no process makes attempt 2 of 3: its process is gone',
        help,
      }),
    );
    expect((await json("why", "dump"))[0]).toMatchObject({
      code: "retry",
      text: expect.stringMatching(/exit code 3\. Its process is gone: no process makes it$/),
      help,
    });
  });

  test("is a problem of ojm top", async () => {
    const { live } = await followed();
    await killedBetweenAttempts();
    await expect
      .poll(() => live.snapshot(Date.now()).problems)
      .toMatchObject([
        { name: "dump", kind: "orphaned-retry", text: "no process makes attempt 2 of 3: its process is gone" },
      ]);
  });

  test("ends ojm wait at once, with 1 and what to do", async () => {
    const id = await killedBetweenAttempts();
    const { code, out, err } = await call("wait", "dump", "--timeout", "10m");
    expect([code, out]).toEqual([1, expect.stringMatching(/^status +failed$/m)]);
    expect(err).toContain(`ojm: no process makes attempt 2 of ${id}: its own is gone. What helps: ojm exec dump -- `);
    expect(await call("wait", "dump", "--json")).toMatchObject({ code: 1 });
  });

  test("ends an ojm wait that began before its death", async () => {
    const failing = exec("dump", "exit 3", "--retry", "3", "--retry-delay", "1h");
    await expect.poll(() => failing.err).toContain("attempt 1 of 3 failed");
    const waiting = start(folder, "wait", "dump", ...STORE);
    await expect.poll(() => waiting.err).toContain("Attempt 2 is due at");
    failing.process.kill("SIGKILL");
    const { code, err } = await waiting.ended;
    expect([code, err]).toEqual([1, expect.stringContaining("no process makes attempt 2 of")]);
  });

  test("is not made by the next ojm exec, which begins its own run in its place", async () => {
    const id = await killedBetweenAttempts();
    const { code, out, err } = await exec("dump", "echo other", "--retry", "2", "--timeout", "2m").ended;
    expect([code, out]).toEqual([0, "other\n"]);
    expect(err).toBe(`ojm: attempt 2 of 3 of ${id} was left by an ojm that is gone: this run takes its place\n`);
    const records = await json("runs", "dump");
    expect(records).toMatchObject([
      { status: "completed", attempt: 1, meta: { command: "sh", timeout: 120_000 } },
      { status: "failed", attempt: 1, meta: { command: "sh", timeout: 3_600_000 } },
    ]);
    expect(records).toHaveLength(2);
    expect(await manager.retries()).toEqual([]);
  });
});

test("an attempt that a program left is not ended by ojm exec: the program makes it when it is back", async () => {
  const program = await storeIn(folder);
  const fails = (): Promise<never> => Promise.reject(new Error("no route"));
  const failing = program.run("dump", fails, { retry: { attempts: 3, delay: 3_600_000 } }).catch(() => {});
  await expect.poll(async () => (await manager.retries("dump")).length).toBe(1);
  await program.close();
  await failing;
  const left = await manager.orphanedRetries("dump");
  expect(left).toMatchObject([{ name: "dump", attempt: 2 }]);
  expect(await exec("dump", "echo other").ended).toEqual({ code: 0, out: "other\n", err: "" });
  expect(await manager.orphanedRetries("dump")).toEqual(left);
});

test("an attempt of a schedule whose scheduler lives is made by it, and is not reported as orphaned", async () => {
  await using scheduler = openScheduler(manager);
  const retry = { attempts: 2, delay: 3_600_000 };
  const definition = { every: 86_400_000, retry };
  await scheduler.add("dump", definition, () => Promise.reject(new Error("no route")));
  await scheduler.runNow("dump", { reason: "a test" });
  await expect.poll(async () => (await manager.retries()).length).toBe(1);
  expect((await json("ps"))[0]).not.toHaveProperty("orphaned");
});

test("an attempt of a scheduler that was killed is reported as orphaned until a replica with the schedule lives", async () => {
  const program = await storeIn(folder);
  const scheduler = openScheduler(program);
  const retry = { attempts: 2, delay: 3_600_000 };
  await scheduler.add("dump", { every: 86_400_000, retry }, () => Promise.reject(new Error("no route")));
  await scheduler.runNow("dump", { reason: "a test" });
  await expect.poll(async () => (await manager.retries()).length).toBe(1);
  await scheduler.close();
  await program.close();
  const start = "to make it, start its program again; to end it: ojm cancel dump --reason …";
  const ofRetry = async (): Promise<unknown> =>
    (await json("why", "dump")).find((one) => (one as { readonly code: string }).code === "retry");
  expect(await ofRetry()).toMatchObject({ text: expect.stringMatching(/: no process makes it$/), help: start });
  expect((await json("ps"))[0]).toMatchObject({ orphaned: true });
  // As a scheduler on another machine writes its presence.
  const schedules = await manager.channel<object>("oJobManager-schedules");
  await schedules.set(["member", "replica", 0], { schedules: [["dump", "another definition"]] });
  await schedules.set(["member", "replica"], { by: { host: "b", pid: 1, instance: "replica" }, parts: 1 });
  expect(await ofRetry()).toMatchObject({
    text: expect.stringMatching(/: a living scheduler of the job takes the attempt over$/),
    help: "ojm cancel dump --reason …",
  });
  expect((await json("ps"))[0]).not.toHaveProperty("orphaned");
  expect(JSON.stringify(await json("doctor"))).not.toContain("no process makes attempt");
});

async function followed(): Promise<{ readonly live: LiveStore }> {
  const live = new LiveStore("a store", await storeIn(folder), () => {});
  const closing = new AbortController();
  const over = live.follow(closing.signal);
  onTestFinished(async () => {
    closing.abort();
    await over;
  });
  await expect.poll(() => live.snapshot(Date.now()).isComplete).toBe(true);
  return { live };
}
