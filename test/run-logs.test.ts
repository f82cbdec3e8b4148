import { join } from "node:path";
import { type JobManagerOptions, type LogItem, openJobManager } from "@ojm/core";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { describe, expect, it, onTestFinished } from "vitest";
import { faultsOf } from "../packages/core/src/testing/logs.js";
import type { LoggerReport } from "./support/children/logger.child.js";
import { lineOf } from "./support/log-lines.js";
import { startChild } from "./support/processes.js";
import { all, both, follow } from "./support/run-logs.js";

const KIB = 1_024;
const LINES = 100_000;
interface StoreOfLogs {
  readonly name: string;
  readonly missing?: string | undefined;
  /**
   * The size of the head and the tail that it retains, in bytes. Absent: it does not retain logs of completed
   * runs.
   */
  readonly budget?: number;
  create(): Promise<JobManagerOptions>;
}

const shared: readonly StoreOfLogs[] = [
  {
    name: "sqlite",
    budget: 4_096 * KIB,
    create: async () => both({ type: "sqlite", args: { file: join(temporaryFolder(), "ojm.db") } }),
  },
  {
    name: "redis",
    missing: whyMissing("redis-server"),
    budget: 1_024 * KIB,
    async create() {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      return both({ type: "redis", args: { url: server.url } });
    },
  },
  {
    name: "etcd",
    missing: etcdMissing(),
    async create() {
      const server = await startEtcd();
      onTestFinished(() => server.stop());
      return both({ type: "etcd", args: { hosts: server.host } });
    },
  },
];

const ofOneProcess: readonly StoreOfLogs[] = [
  { name: "simple", budget: 512 * KIB, create: async () => ({}) },
  {
    name: "level",
    budget: 4_096 * KIB,
    create: async () => both({ type: "level", args: { path: join(temporaryFolder(), "ojm") } }),
  },
];

const skipped = (missing: string | undefined): string => (missing === undefined ? "" : `: ${missing}`);

const bytesOf = (items: readonly LogItem[]): number =>
  items.reduce((sum, item) => sum + ("text" in item ? Buffer.byteLength(item.text) + 1 : 0), 0);

/** The gaps that no reader could have seen: lines that were deleted, not dropped. */
const deleted = (items: readonly LogItem[]): number =>
  items.reduce((sum, item) => {
    if (!("missing" in item) || item.missing === "unknown") return sum;
    return sum + item.missing.lines - (item.dropped?.lines ?? 0);
  }, 0);

/** The bytes of the lines that were never in the store. */
const dropped = (items: readonly LogItem[]): number =>
  items.reduce((sum, item) => sum + ("missing" in item ? (item.dropped?.bytes ?? 0) : 0), 0);

function expectKept(items: readonly LogItem[], last: number, budget: number | undefined): void {
  expect(faultsOf(items, last, lineOf)).toEqual([]);
  if (budget === undefined) {
    expect(items).toHaveLength(1);
    return;
  }
  const kept = bytesOf(items);
  expect(kept).toBeLessThanOrEqual(budget);
  // A store that is too slow for the job retains less, and reports how much less.
  expect(kept + dropped(items)).toBeGreaterThan(0.8 * budget);
}

describe.each(shared)("on $name", ({ name, missing, budget, create }) => {
  // `npm test` has the most lines on one store, and the death of the process that writes them on another.
  const tagsOf = (first: string): string[] => (name === first ? [] : ["full"]);

  it.skipIf(missing !== undefined)(
    `a log of 100,000 lines is followed from another process, and kept up to its budget${skipped(missing)}`,
    { tags: tagsOf("sqlite") },
    async () => {
      const options = await create();
      const child = startChild("logger.child.ts", [JSON.stringify(options), String(LINES)]);
      const { id } = await child.message<{ id: string }>();
      await using manager = await openJobManager(options);
      const { items, over } = follow(manager, id);
      const ended = child.message<LoggerReport>();
      child.process.send("go");
      await Promise.all([over, ended]);
      expect(faultsOf(items, LINES, lineOf)).toEqual([]);
      expect(items.filter((item) => "text" in item).length).toBeGreaterThan(1_000);
      console.log(`${items.filter((item) => "text" in item).length} lines followed, ${deleted(items)} came too late`);
      // If the log of a completed run is deleted, that happens after its end.
      expect(await child.ended).toBe(0);
      expectKept(await all(manager, id), LINES, budget);
      await manager.prune({ olderThan: 0 });
      expect(await all(manager, id)).toEqual([]);
      expect(await manager.progress(id)).toBeUndefined();
    },
  );

  it.skipIf(missing !== undefined)(
    `the log of a process that was killed ends its reader, and what was written is there${skipped(missing)}`,
    { tags: tagsOf("redis") },
    async () => {
      const options = { ...(await create()), ttl: 2_000 };
      const child = startChild("logger.child.ts", [JSON.stringify(options), "5000", "kill"]);
      const { id } = await child.message<{ id: string }>();
      await using manager = await openJobManager(options);
      const { items, over } = follow(manager, id);
      child.process.send("go");
      expect(await child.ended).toBe("SIGKILL");
      // The next process finds that the holder is dead.
      await manager.run("logger", () => {}, { wait: 60_000 });
      await over;
      expect(items.at(-1)).toEqual({ missing: "unknown" });
      const lines = items.slice(0, -1);
      const last = lines.findLast((item) => "line" in item)?.line ?? 0;
      expect(last).toBeGreaterThan(0);
      expect(faultsOf(lines, last, lineOf)).toEqual([]);
    },
  );
});

describe.each(ofOneProcess)("on $name", ({ name, budget, create }) => {
  const tags = name === "simple" ? [] : ["full"];
  it("a log of 100,000 lines is followed, and kept up to its budget", { tags }, async () => {
    await using manager = await openJobManager(await create());
    let followed: ReturnType<typeof follow> | undefined;
    const { record } = await manager.run("logger", async (run) => {
      followed = follow(manager, run.id);
      for (let n = 1; n <= LINES; n++) {
        run.log.info(lineOf(n));
        if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
      }
    });
    await followed?.over;
    expect(faultsOf(followed?.items ?? [], LINES, lineOf)).toEqual([]);
    expectKept(await all(manager, record.id), LINES, budget);
  });
});
