import { readFileSync } from "node:fs";
import { openChannel } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { expect, onTestFinished, test } from "vitest";
import { ojm, start } from "../testing/ojm.js";

const SCHEDULE = new URL("../../../../examples/guide/pattern-2-schedule.yaml", import.meta.url);
const DAEMON = readFileSync(SCHEDULE, "utf8").replace("0 * * * *", "* * * * * *");

test("ojm run --metrics serves the metrics of a daemon, its health and its readiness", async () => {
  const daemon = start(folderWith({ "jobs.yaml": DAEMON }), "run", "jobs.yaml", "--metrics", "127.0.0.1:0");
  await expect.poll(() => daemon.err).toMatch(/metrics are at http:\S+\n/);
  const [, url = ""] = /metrics are at (http:\S+)\/metrics/.exec(daemon.err) ?? [];
  const scrape = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
  await expect
    .poll(scrape)
    .toMatch(/cicd_pipeline_run_duration_seconds_count\{cicd_pipeline_name="hourly-sweep",[^}]*\} [1-9]/);
  await expect.poll(scrape).toMatch(/ojm_tick_decided_total\{[^}]*ojm_tick_outcome="run"\} [1-9]/);
  expect(await Promise.all(["healthz", "readyz"].map(async (path) => (await fetch(`${url}/${path}`)).status))).toEqual([
    200, 200,
  ]);
  daemon.process.kill("SIGTERM");
  expect((await daemon.ended).code).toBe(143);
});

const missing = whyMissing("redis-server");

test.skipIf(missing !== undefined)(
  `a daemon that is not busy is not ready while its store is away ${missing ?? ""}`,
  async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const yaml = `include: [oJobManager.yaml]
jobs:
  - name: Init
    to: oJobManager Init
    args:
      chJobs: { type: redis, args: { url: "${redis.url}" } }
      chLocks: { type: redis, args: { url: "${redis.url}" } }
  - name: Nightly
    typeArgs: { cron: "0 2 1 1 *" }
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: nightly }
todo: [Init, Nightly]
`;
    const daemon = start(folderWith({ "jobs.yaml": yaml }), "run", "jobs.yaml", "--metrics", "127.0.0.1:0");
    await expect.poll(() => daemon.err).toMatch(/metrics are at http:\S+\n/);
    const [, url = ""] = /metrics are at (http:\S+)\/metrics/.exec(daemon.err) ?? [];
    const ready = async (): Promise<number> => (await fetch(`${url}/readyz`)).status;
    await expect.poll(ready).toBe(200);
    // Once its session has ended, it sends no renewals that could fail.
    const locks = await openChannel("oJobManager-locks", { type: "redis", args: { url: redis.url } });
    onTestFinished(() => locks.close());
    const sessions = async (): Promise<number> => {
      let count = 0;
      for await (const _ of locks.keys({ prefix: ["session"] })) count++;
      return count;
    };
    await expect.poll(sessions, { interval: 200 }).toBe(0);
    redis.freeze();
    await expect.poll(ready).toBe(503);
    redis.thaw();
    await expect.poll(ready).toBe(200);
    daemon.process.kill("SIGTERM");
    expect((await daemon.ended).code).toBe(143);
  },
);

test("the server of metrics keeps no job file from ending", async () => {
  const folder = folderWith({ "jobs.yaml": "jobs: [{ name: A, exec: 'print(1)' }]\ntodo: [A]\n" });
  expect((await ojm(folder, "run", "jobs.yaml", "--metrics=0")).code).toBe(0);
});

test.each(["nowhere", "127.0.0.1", "127.0.0.1:99999", "http://x:1"])(
  "ojm run --metrics %s is refused in words",
  async (text) => {
    const folder = folderWith({ "jobs.yaml": "jobs: [{ name: A }]\ntodo: [A]\n" });
    const { code, err } = await ojm(folder, "run", "jobs.yaml", `--metrics=${text}`);
    expect([code, err]).toEqual([2, expect.stringContaining("--metrics is HOST:PORT or PORT")]);
  },
);
