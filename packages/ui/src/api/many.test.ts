import { openQueues } from "@ojm/queue";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ActAnswer, Audit, Jobs, ManyAnswer, Now, RunItem, Runs } from "../contract/types.js";
import { openTestUi, type TestUi } from "../testing/test-ui.js";

let it: TestUi;

beforeEach(async () => {
  it = await openTestUi();
  for (const name of ["billing/a", "billing/b", "crm"]) await it.scheduler.add(name, { every: 3_600_000 }, () => {});
});

afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

const reason = "the bank is closed";
const many = async (act: string, body: object): Promise<ManyAnswer> => {
  const answer = await it.act(`/api/v1/many/${act}`, { reason, ...body }, "operate");
  expect(answer.status).toBe(200);
  return answer.body;
};

test("several schedules are paused and resumed for one reason, with a result for each", async () => {
  const dry = await many("pause", { names: ["billing/*"], dryRun: true });
  expect(dry).toEqual({
    dryRun: true,
    results: ["billing/a", "billing/b"].map((name) => ({
      name,
      done: `would pause the schedule "${name}" until it is resumed: its ticks are skipped`,
    })),
  });
  const { results } = await many("pause", { names: ["billing/*", "none", "crm"] });
  expect(results).toMatchObject([
    { name: "billing/a", done: expect.stringContaining("is paused") },
    { name: "billing/b", done: expect.stringContaining("is paused") },
    { name: "crm", done: expect.stringContaining("is paused") },
    { name: "none", error: expect.stringContaining('no schedule "none"') },
  ]);
  const names = async (state: string): Promise<string[]> =>
    (await it.get<Jobs>(`/api/v1/jobs?state=${state}`)).jobs.map(({ name }) => name);
  await expect.poll(() => names("paused,held")).toEqual(["billing/a", "billing/b", "crm"]);
  await many("resume", { names: ["*"] });
  await expect.poll(() => names("paused")).toEqual([]);
  expect((await it.get<Audit>("/api/v1/audit")).entries.length).toBe(6);
  expect((await it.act("/api/v1/many/pause", { reason, names: ["x/*"] }, "operate")).status).toBe(404);
  expect((await it.act("/api/v1/many/pause", { reason, names: [] }, "operate")).status).toBe(400);
  expect((await it.act("/api/v1/many/pause", { reason, names: ["*"] }, "read")).status).toBe(403);
  await expect(names("nonsense")).rejects.toThrow();
});

test("the failing jobs are found, and run again", async () => {
  await it.scheduler.add("bad", { every: 3_600_000 }, () => Promise.reject(new Error("no route")));
  await many("run-now", { names: ["bad", "crm"] });
  const failing = async (): Promise<string[]> =>
    (await it.get<Jobs>("/api/v1/jobs?state=failing")).jobs.map(({ name }) => name);
  await expect.poll(failing).toEqual(["bad"]);
});

test("the jobs of failed runs run again, with the parameters of those runs", async () => {
  const days: unknown[] = [];
  await it.scheduler.add("report", { every: 3_600_000 }, ({ args }) => {
    days.push(args["day"]);
    if (days.length <= 2) throw new Error("no route");
  });
  for (const day of [1, 2]) await it.act("/api/v1/jobs/report/run-now", { reason, args: { day } }, "operate");
  const failed = async (): Promise<readonly RunItem[]> =>
    (await it.get<Runs>("/api/v1/runs?name=report&status=failed")).runs;
  await expect.poll(async () => (await failed()).length).toBe(2);
  const [, first] = await failed();
  const { results } = await many("run-now", { names: [first?.id, "report@2020-01-01T00:00:00.000Z"] });
  expect(results).toMatchObject([
    { name: "report@2020-01-01T00:00:00.000Z", error: expect.stringContaining("no schedule") },
    { name: first?.id, done: '"report" started' },
  ]);
  await expect.poll(() => days).toEqual([1, 2, 1]);
});

test("the runs of a pattern are cancelled, and holds ended", async () => {
  const runs = await Promise.all(["billing/x", "other"].map((name) => it.manager.start(name)));
  for (const run of runs) run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
  const answer = async (): Promise<unknown> => many("cancel", { names: ["billing/*"], dryRun: true });
  await expect.poll(answer).toMatchObject({ results: [{ name: runs[0]?.id }] });
  await many("cancel", { names: ["billing/*"] });
  expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  await runs[1]?.end();
  await many("hold", { names: ["billing/a", "crm"] });
  await expect.poll(async () => (await it.manager.heldLocks()).length).toBe(2);
  await expect
    .poll(async () => (await it.act("/api/v1/many/end-hold", { reason, names: ["*"], dryRun: true }, "operate")).status)
    .toBe(200);
  expect((await many("end-hold", { names: ["*"] })).results.length).toBe(2);
  expect(await it.manager.heldLocks()).toEqual([]);
});

test("a maintenance is started and ended, and shown on the page of now", async () => {
  const run = await it.manager.start("billing/a");
  run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
  const on = "/api/v1/maintenance/on";
  const done = async (path: string, body: object): Promise<string> =>
    ((await it.act(path, { reason, ...body }, "operate")).body as ActAnswer).done;
  await expect
    .poll(() => done(on, { names: "billing/*", dryRun: true }))
    .toBe("would start maintenance of billing/* (2 schedules) until it is ended: 1 run in progress");
  await using queues = openQueues(it.manager);
  await queues.define("billing/mails");
  expect(await done(on, { names: "billing/*", dryRun: true })).toContain(" (2 schedules and 1 queue) ");
  expect(await done(on, { names: "billing/*", cancel: true })).toContain("1 run asked to stop");
  await expect.poll(() => run.signal.aborted).toBe(true);
  const shown = async (): Promise<unknown> => (await it.get<Now>("/api/v1/now")).maintenance;
  await expect.poll(shown).toMatchObject([{ names: "billing/*", reason, by: "ana (10.1.2.3)" }]);
  expect(await done("/api/v1/maintenance/off", {})).toMatch(/^ended the maintenance of billing\/\* by ana/);
  await expect.poll(shown).toEqual([]);
  expect((await it.act("/api/v1/maintenance/off", { reason }, "operate")).status).toBe(404);
});
