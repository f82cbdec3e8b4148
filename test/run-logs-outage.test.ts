/**
 * Stores that are unreachable for more lines than the memory of a log holds. `OJM_OUTAGE=30 npx vitest run
 * test/run-logs-outage.test.ts`: for 30 s.
 * @module-tag full
 */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, type LogItem, openJobManager } from "@ojm/core";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { faultsOf } from "../packages/core/src/testing/logs.js";
import { lineOf } from "./support/log-lines.js";
import { startChild } from "./support/processes.js";
import { all, both, follow, goesOn, lookAt, recordOf } from "./support/run-logs.js";
import { lockFile } from "./torture/stores/files.js";

/*
 *   OJM_OUTAGE=30 npx vitest run test/run-logs-outage.test.ts     stores are away for 30 s
 */

/**
 * How long a store is unreachable at least, in s. The outage always lasts for more lines than memory holds.
 */
const SECONDS = Number(process.env["OJM_OUTAGE"] ?? 0);

/** More lines than the memory of a log holds. */
const BEYOND = 60_000;

/** The deadline of a call, in ms. */
const DEADLINE = 1_000;

interface Outage {
  readonly options: JobManagerOptions;
  begin(): Promise<void>;
  end(): Promise<void>;
}

interface Case {
  readonly name: string;
  readonly missing?: string | undefined;
  /** Whether it keeps the logs of runs that completed. */
  readonly keeps: boolean;
  setUp(): Promise<Outage>;
}

async function redis(how: "killed" | "frozen"): Promise<Outage> {
  const server = await startRedis({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
  onTestFinished(() => server.stop());
  const options = both({ type: "redis", args: { url: server.url, deadline: DEADLINE } });
  if (how === "killed") return { options, begin: server.kill, end: server.start };
  return { options, begin: async () => server.freeze(), end: async () => server.thaw() };
}

async function etcd(): Promise<Outage> {
  const server = await startEtcd();
  onTestFinished(() => server.stop());
  const options = both({ type: "etcd", args: { hosts: server.host, deadline: DEADLINE } });
  return { options, begin: () => server.pause(), end: async () => server.resume() };
}

/** Another process holds the write lock of the file. */
async function sqlite(): Promise<Outage> {
  const file = join(temporaryFolder(), "ojm.db");
  let free = async (): Promise<void> => {};
  return {
    options: both({ type: "sqlite", args: { file } }),
    begin: async () => {
      free = await lockFile(file);
    },
    end: () => free(),
  };
}

const lastLine = (items: readonly LogItem[]): number => items.findLast((item) => "line" in item)?.line ?? 0;

const redisMissing = whyMissing("redis-server");
const cases: readonly Case[] = [
  { name: "a Redis that is killed", missing: redisMissing, keeps: true, setUp: () => redis("killed") },
  { name: "a Redis that is stopped", missing: redisMissing, keeps: true, setUp: () => redis("frozen") },
  { name: "an etcd that is stopped", missing: etcdMissing(), keeps: false, setUp: etcd },
  { name: "a SQLite file that another process has locked", keeps: true, setUp: sqlite },
];

describe.each(cases)("$name", ({ missing, keeps, setUp }) => {
  it.skipIf(missing !== undefined)(
    "the job does not notice, its reader continues, and the loss is counted to the line",
    async () => {
      const { options, begin, end } = await setUp();
      const child = startChild("logger.child.ts", [JSON.stringify(options), "10000000"]);
      const { id } = await child.message<{ id: string }>();
      await using manager = await openJobManager(options);
      const { items, over } = follow(manager, id);
      child.process.send("go");
      await goesOn(child, 5_000);
      const before = await lookAt(child);
      await begin();
      await Promise.all([goesOn(child, BEYOND), pause(SECONDS * 1_000)]);
      const during = await lookAt(child);
      await end();
      // A stopped store may still have had some earlier lines in its socket.
      await expect.poll(() => lastLine(items), { interval: 20 }).toBeGreaterThan(during.written);
      await goesOn(child, 5_000);
      const answer = child.message<{ lines: number }>();
      child.process.send("last");
      const [{ lines }] = await Promise.all([answer, over]);
      // On a machine that stalls, a run does not wait for its last lines, and its log says so.
      const isCut = items.some((item) => "missing" in item && item.missing === "unknown");
      const counted = isCut ? items.slice(0, -1) : items;
      const written = isCut ? lastLine(counted) : lines;
      expect(faultsOf(counted, written, lineOf)).toEqual([]);
      const dropped = items.reduce((sum, item) => sum + (("missing" in item && item.dropped?.lines) || 0), 0);
      expect(dropped).toBeGreaterThan(10_000);
      if (keeps && !isCut) expect(faultsOf(await all(manager, id), written, lineOf)).toEqual([]);
      expect(await recordOf(manager)).toMatchObject({ status: "completed" });
      expect(await child.ended).toBe(0);
      expect(child.output.stderr).toBe("");
      const cost = (1_000 * (during.spent - before.spent)) / (during.written - before.written);
      const usual = (1_000 * before.spent) / before.written;
      console.log(
        `a line cost ${usual.toFixed(1)} µs, and ${cost.toFixed(1)} µs during the outage; ${dropped} dropped`,
      );
      // A busy machine may take ten times as long for anything.
      expect(cost).toBeLessThan(10 * usual + 50);
    },
    240_000 + 2_000 * SECONDS,
  );
});

it.skipIf(redisMissing !== undefined)("a job that ends while the store of its log is away ends in time", async () => {
  const outage = await redis("frozen");
  const file = join(temporaryFolder(), "ojm.db");
  const apart = { ...both({ type: "sqlite", args: { file } }), chLogs: outage.options.chJobs ?? {} };
  const child = startChild("logger.child.ts", [JSON.stringify(apart), "10000000"]);
  const { id } = await child.message<{ id: string }>();
  await using manager = await openJobManager(apart);
  child.process.send("go");
  await goesOn(child, 5_000);
  await expect.poll(async () => lastLine(await all(manager, id)), { interval: 20 }).toBeGreaterThan(0);
  await outage.begin();
  const ended = child.message<{ lines: number }>();
  child.process.send("last");
  // The store stays unreachable until the run has ended.
  const { lines } = await ended;
  expect(await child.ended).toBe(0);
  expect(await recordOf(manager)).toMatchObject({ status: "completed" });
  await outage.end();
  // A frozen server may still have had the last lines in its socket, and accepts them when it thaws.
  const items = await all(manager, id);
  const isCut = "missing" in (items.at(-1) ?? {});
  if (isCut) expect(items.at(-1)).toEqual({ missing: "unknown" });
  else expect(faultsOf(items, lines, lineOf)).toEqual([]);
});
