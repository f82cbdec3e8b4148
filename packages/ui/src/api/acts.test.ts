import { hostname } from "node:os";
import type { Run } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { ActAnswer, Audit, Jobs, Why } from "../contract/types.js";
import { openTestUi, type TestUi } from "../testing/test-ui.js";

let it: TestUi;

beforeEach(async () => {
  it = await openTestUi();
});

afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

const reason = "wrong month";

test("a schedule is run now, paused and resumed, and backfilled", async () => {
  const runs: string[] = [];
  await it.scheduler.add("report", { every: 3_600_000 }, ({ id }) => void runs.push(id));
  const started = await it.act("/api/v1/jobs/report/run-now", { reason }, "operate");
  expect(started.body).toEqual({ done: expect.stringMatching(/^"report" started$/), run: expect.any(String) });
  await expect.poll(() => runs).toEqual([(started.body as ActAnswer).run]);
  await it.act("/api/v1/jobs/report/pause", { reason }, "operate");
  const paused = async (): Promise<unknown> => {
    for await (const one of it.scheduler.schedules()) return one.paused;
    return undefined;
  };
  expect(await paused()).toMatchObject({ reason, by: "ana (10.1.2.3)" });
  expect((await it.act("/api/v1/jobs/report/resume", { reason }, "operate")).body).toMatchObject({
    done: expect.stringMatching(/is resumed\. Its next tick is at 20/),
  });
  expect(await paused()).toBeUndefined();
  const from = Date.now() - 3 * 3_600_000;
  const backfill = await it.act("/api/v1/jobs/report/backfill", { reason, from }, "operate");
  expect(backfill.body).toEqual({ done: expect.stringMatching(/^[23] ticks/) });
  expect((await it.act("/api/v1/jobs/report/backfill", { reason })).status).toBe(400);
});

test("a run of now gets the parameters that were given, and a map is all that they can be", async () => {
  const seen: unknown[] = [];
  await it.scheduler.add("report", { every: 3_600_000 }, ({ args }) => void seen.push(args));
  const args = { region: "eu", days: [7, 8] };
  expect((await it.act("/api/v1/jobs/report/run-now", { reason, args }, "operate")).status).toBe(200);
  await expect.poll(() => seen).toEqual([args]);
  expect((await it.act("/api/v1/jobs/report/run-now", { reason, args: "eu" }, "operate")).status).toBe(400);
});

test("a run is cancelled by its id or its job, and the audit says who did it and why", async () => {
  for (const path of ["runs/ID", "jobs/import"]) {
    const run = await it.manager.start("import");
    run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
    const { status, body } = await it.act(`/api/v1/${path.replace("ID", run.id)}/cancel`, { reason }, "operate");
    expect([status, body]).toEqual([200, { done: expect.stringContaining("is cancelled"), run: run.id }]);
    const { entries } = await it.get<Audit>("/api/v1/audit?limit=1");
    expect(entries).toMatchObject([{ action: "cancel", name: "import", run: run.id, fence: run.fence }]);
    expect(entries[0]?.reason).toContain(reason);
    expect(`${entries[0]?.reason} ${entries[0]?.author}`).toContain("ana (10.1.2.3)");
  }
  expect((await it.act("/api/v1/jobs/import/cancel", { reason })).status).toBe(404);
});

test("a cancel between two attempts says that the chain ends, and ends it", async () => {
  for (const path of ["runs/ID", "jobs/import"]) {
    const fails = (): Promise<never> => Promise.reject(new Error("no route"));
    // The call learns that its next attempt was cancelled when the attempt is due, or when its manager is
    // closed.
    it.manager.run("import", fails, { retry: { attempts: 3, delay: 3_600_000 } }).catch(() => {});
    await expect.poll(async () => (await it.manager.retries("import")).length).toBe(1);
    const [{ chain = "" } = {}] = await it.manager.retries("import");
    const cancel = `/api/v1/${path.replace("ID", encodeURIComponent(chain))}/cancel`;
    const dry = await it.act(cancel, { reason, dryRun: true }, "operate");
    const next = /attempt 2 of 3 of "import", due 20.+Z: it does not begin, and no other follows$/;
    expect([dry.status, dry.body]).toEqual([
      200,
      { dryRun: true, done: expect.stringMatching(new RegExp(`^would cancel ${next.source}`)) },
    ]);
    expect(await it.manager.retries("import")).toHaveLength(1);
    const { status, body } = await it.act(cancel, { reason }, "operate");
    expect([status, body]).toEqual([
      200,
      { done: expect.stringMatching(new RegExp(`^cancelled ${next.source}`)), run: expect.any(String) },
    ]);
    expect(await it.manager.retries("import")).toEqual([]);
  }
  expect((await it.act("/api/v1/jobs/import/cancel", { reason, dryRun: true })).status).toBe(404);
});

test("a lock is taken by force, and a hold keeps runs away until that", async () => {
  expect((await it.act("/api/v1/jobs/import/hold", { reason }, "operate")).status).toBe(200);
  await expect(it.manager.run("import", () => {}, { wait: 0 })).rejects.toThrow(/held for maintenance by ana \(10/);
  const { jobs } = await it.get<Jobs>("/api/v1/jobs");
  expect(jobs).toMatchObject([{ name: "import", lock: { hold: { reason, author: expect.stringMatching(/^ana/) } } }]);
  const dry = await it.act("/api/v1/jobs/import/unlock", { reason, dryRun: true });
  expect(dry.body).toMatchObject({ dryRun: true, done: expect.stringContaining("would take") });
  expect((await it.manager.heldLocks()).length).toBe(1);
  expect(await it.act("/api/v1/jobs/import/unlock", { reason })).toMatchObject({
    status: 200,
    body: { done: expect.stringMatching(/^"import" unlocked: taken from the hold of ana \(.*\), since \S+Z$/) },
  });
  expect(await it.manager.heldLocks()).toEqual([]);
  const run = await it.manager.start("import");
  const [lock] = await it.manager.heldLocks();
  const { body } = await it.act("/api/v1/jobs/import/unlock", { reason });
  const since = new Date(lock?.since ?? Number.NaN).toISOString();
  const which = `${hostname()}, pid ${process.pid}, since ${since}`;
  expect(body).toMatchObject({ done: `"import" unlocked: taken from ${which}. Its run is cancelled` });
  await run.end().catch(() => {});
  const { entries } = await it.get<Audit>("/api/v1/audit?name=import");
  expect(entries.map(({ action }) => action)).toEqual(["unlock", "end-hold", "hold"]);
  expect((await it.act("/api/v1/jobs/import/unlock", { reason })).status).toBe(404);
});

test("a hold is ended by its own action, which takes no lock from a run", async () => {
  await it.act("/api/v1/jobs/import/hold", { reason });
  expect((await it.get<Why>("/api/v1/jobs/import/why")).reasons[0]).toMatchObject({ act: "end-hold" });
  const dry = await it.act("/api/v1/jobs/import/end-hold", { reason, dryRun: true }, "operate");
  expect(dry.body).toMatchObject({
    dryRun: true,
    done: expect.stringMatching(/^"import": would end the hold of ana \(.*\), since \S+Z$/),
  });
  expect((await it.act("/api/v1/jobs/import/end-hold", { reason }, "operate")).status).toBe(200);
  const run = await it.manager.start("import");
  expect((await it.act("/api/v1/jobs/import/end-hold", { reason }, "operate")).status).toBe(404);
  expect((await it.manager.heldLocks()).length).toBe(1);
  await run.end();
});

test.each(["unlock", "end-hold"])("%s takes the lock that was shown, and not that of a later run", async (act) => {
  await it.manager.hold("import", { reason });
  let later: Run | undefined;
  const locks = it.manager.heldLocks.bind(it.manager);
  // The hold ends, and a run starts, after the action has read who holds the lock.
  vi.spyOn(it.manager, "heldLocks").mockImplementationOnce(async () => {
    const read = await locks();
    await it.manager.unlock("import", { reason: "the schema is there" });
    later = await it.manager.start("import");
    return read;
  });
  expect((await it.act(`/api/v1/jobs/import/${act}`, { reason })).status).toBe(404);
  expect(later?.signal.aborted).toBe(false);
  expect(await it.manager.heldLocks()).toMatchObject([{ name: "import", fence: later?.fence }]);
  await later?.end();
});

test("a hold waits for a run that ends within moments", async () => {
  let status = 409;
  // On a slow machine, it may take longer until the run ends.
  while (status === 409) {
    const run = await it.manager.start("import");
    const held = it.act("/api/v1/jobs/import/hold", { reason });
    await expect.poll(async () => (await it.manager.heldLocks()).map(({ waiting }) => waiting)).toEqual([1]);
    await run.end();
    ({ status } = await held);
  }
  expect(status).toBe(200);
});

test("a hold of a job that keeps running is a conflict, and an unknown schedule is not found", async () => {
  const run = await it.manager.start("import");
  expect((await it.act("/api/v1/jobs/import/hold", { reason })).status).toBe(409);
  await run.end();
  for (const act of ["pause", "resume", "run-now", "backfill"]) {
    expect((await it.act(`/api/v1/jobs/none/${act}`, { reason, from: 0, to: 1 })).status).toBe(404);
    expect((await it.act(`/api/v1/jobs/none/${act}`, { reason, from: 0, to: 1, dryRun: true })).status).toBe(404);
  }
});

test.each([
  [{}, /reason/],
  [{ reason: "  " }, /reason/],
  [{ reason: "x".repeat(1_001) }, /reason/],
  [{ reason, until: "tomorrow" }, /until/],
  [{ reason, more: 1 }, /more/],
])("an act with the body %j is refused, and nothing is done", async (body, message) => {
  const answer = await it.act("/api/v1/jobs/import/hold", body);
  expect(answer.status).toBe(400);
  expect((answer.body as { error: { message: string } }).error.message).toMatch(message);
  expect(await it.manager.heldLocks()).toEqual([]);
});

test("a dry run refuses what would be refused, counts what would be run, and does nothing", async () => {
  await it.scheduler.add("report", { every: 3_600_000 }, () => {});
  const dry = (act: string, body: object): Promise<{ readonly status: number; readonly body: unknown }> =>
    it.act(`/api/v1/jobs/report/${act}`, { reason, dryRun: true, ...body });
  for (const act of ["pause", "hold"]) expect((await dry(act, { until: 5 })).status).toBe(400);
  const now = Date.now();
  const counted = await dry("backfill", { from: now - 3 * 3_600_000, to: now });
  expect(counted.body).toMatchObject({ done: expect.stringMatching(/^would run [23] ticks of "report" from /) });
  const none = await dry("backfill", { from: now, to: now - 1 });
  expect(none.body).toMatchObject({ done: expect.stringContaining("has no tick") });
  expect((await dry("backfill", { from: 0 })).status).toBe(400);
  const backfills: unknown[] = [];
  for await (const one of it.scheduler.backfills()) backfills.push(one);
  expect(backfills).toEqual([]);
});

test("a backfill in progress is reported, and stopped", async () => {
  await it.scheduler.add("report", { every: 60_000 }, () => {});
  // No process runs it: the backfill continues until it is stopped.
  await it.scheduler.close();
  const scheduler = openScheduler(it.manager);
  onTestFinished(() => scheduler.close());
  await using other = await openTestUi({ manager: it.manager, scheduler });
  const from = Date.now() - 3_600_000;
  await other.act("/api/v1/jobs/report/backfill", { reason, from });
  const backfills = async (): Promise<unknown[]> =>
    (await other.get<Why>("/api/v1/jobs/report/why")).reasons.filter(({ code }) => code === "backfill");
  expect(await backfills()).toMatchObject([{ act: "stop-backfill", text: expect.stringContaining("of 60 ticks") }]);
  const stop = (dryRun: boolean): Promise<{ readonly status: number; readonly body: unknown }> =>
    other.act("/api/v1/jobs/report/stop-backfill", { reason, dryRun }, "operate");
  expect((await stop(true)).body).toMatchObject({
    done: expect.stringMatching(/^would stop the backfill of "report": 60 ticks/),
  });
  expect((await stop(false)).body).toMatchObject({
    done: expect.stringMatching(/^stopped the backfill of "report": 60 ticks/),
  });
  expect(await backfills()).toEqual([]);
  expect((await stop(false)).status).toBe(404);
});

test.each([
  [{}, '"reason" of the body is missing'],
  [{ reason: " " }, '"reason" of the body is empty'],
  [{ reason: 5 }, '"reason" of the body must be a text, and not 5'],
  [{ reason: "x".repeat(1_001) }, '"reason" of the body is longer than 1000 characters'],
  [{ reason, until: 1.5 }, '"until" of the body must be a whole number, and not 1.5'],
  [{ reason, until: -1 }, '"until" of the body must be a number from 0 up, and not -1'],
  [{ reason, again: "y" }, '"again" of the body must be true or false, and not "y"'],
  [{ reason, untill: 5 }, 'the body has no field "untill": it has reason, until, args, from, to, again, error, dryRun'],
])("a wrong body is rejected in words: %j", async (body, text) => {
  const answer = await it.act("/api/v1/jobs/report/pause", body);
  expect(answer).toEqual({ status: 400, body: { error: { code: "INVALID", message: text } } });
});

test("a body that does not end is refused after a while, and its stream is left", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  await using it = await openTestUi();
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"reason"')),
    cancel: () => {
      cancelled = true;
    },
  });
  const headers = {
    Host: "localhost:7717",
    "X-Role": "admin",
    "Content-Type": "application/json",
    "Sec-Fetch-Site": "same-origin",
  };
  const url = "http://localhost:7717/api/v1/jobs/a/hold";
  const asked = it.ui.fetch(new Request(url, { method: "POST", headers, body, duplex: "half" } as RequestInit));
  await vi.advanceTimersByTimeAsync(9_000);
  expect(cancelled).toBe(false);
  await vi.advanceTimersByTimeAsync(1_001);
  const answer = await asked;
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("did not end within 10 s")]);
  await expect.poll(() => cancelled).toBe(true);
});
