import { join } from "node:path";
import { type JobManager, type JobManagerOptions, type LogItem, openJobManager, type RunRecord } from "@ojm/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { faultsOf } from "../packages/core/src/testing/logs.js";
import { etcdMissing, startEtcd } from "../packages/etcd/src/testing/servers.js";
import { startRedis, whyMissing } from "../packages/redis/src/testing/servers.js";
import type { LoggerReport } from "./support/children/logger.child.js";
import { lineOf } from "./support/log-lines.js";
import { type Child, startChild, temporaryFolder } from "./support/processes.js";

const KIB = 1_024;
const LINES = 100_000;
/** No session ends while a store is away. */
const TTL = 600_000;

interface StoreOfLogs {
  readonly name: string;
  readonly missing?: string | undefined;
  /** The head and the tail of what it keeps, in bytes. Absent: it keeps no logs of runs that completed. */
  readonly budget?: number;
  create(): Promise<JobManagerOptions>;
}

const both = (channel: object): JobManagerOptions => ({ chJobs: channel, chLocks: channel, ttl: TTL });

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

/** Reads a log in the background. */
function follow(manager: JobManager, id: string): { readonly items: LogItem[]; readonly over: Promise<void> } {
  const items: LogItem[] = [];
  const over = (async () => {
    for await (const item of manager.log(id, { follow: true })) items.push(item);
  })();
  over.catch(() => {});
  return { items, over };
}

async function all(manager: JobManager, id: string): Promise<LogItem[]> {
  const items: LogItem[] = [];
  for await (const item of manager.log(id)) items.push(item);
  return items;
}

const bytesOf = (items: readonly LogItem[]): number =>
  items.reduce((sum, item) => sum + ("text" in item ? Buffer.byteLength(item.text) + 1 : 0), 0);

/** The gaps that no reader could have seen: lines that were deleted, not dropped. */
const deleted = (items: readonly LogItem[]): number =>
  items.reduce((sum, item) => {
    if (!("missing" in item) || item.missing === "unknown") return sum;
    return sum + item.missing.lines - (item.dropped?.lines ?? 0);
  }, 0);

function expectKept(items: readonly LogItem[], last: number, budget: number | undefined): void {
  expect(faultsOf(items, last, lineOf)).toEqual([]);
  if (budget === undefined) {
    expect(items).toHaveLength(1);
    return;
  }
  const kept = bytesOf(items);
  expect(kept).toBeGreaterThan(0.8 * budget);
  expect(kept).toBeLessThanOrEqual(budget);
}

describe.each(shared)("on $name", ({ missing, budget, create }) => {
  it.skipIf(missing !== undefined)(
    `a log of 100,000 lines is followed from another process, and kept up to its budget${skipped(missing)}`,
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
      // Where the log of a run that completed is deleted, that comes after its end.
      expect(await child.ended).toBe(0);
      expectKept(await all(manager, id), LINES, budget);
      await manager.prune({ olderThan: 0 });
      expect(await all(manager, id)).toEqual([]);
      expect(await manager.progress(id)).toBeUndefined();
    },
  );

  it.skipIf(missing !== undefined)(
    `the log of a process that was killed ends its reader, and what was written is there${skipped(missing)}`,
    async () => {
      const options = { ...(await create()), ttl: 2_000 };
      const child = startChild("logger.child.ts", [JSON.stringify(options), "5000", "kill"]);
      const { id } = await child.message<{ id: string }>();
      await using manager = await openJobManager(options);
      const { items, over } = follow(manager, id);
      child.process.send("go");
      expect(await child.ended).toBe("SIGKILL");
      // Whoever comes next finds that the holder is dead.
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

describe.each(ofOneProcess)("on $name", ({ budget, create }) => {
  it("a log of 100,000 lines is followed, and kept up to its budget", async () => {
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

/** Resolves once the process has written so many lines more. */
async function goesOn(child: Child, more: number): Promise<void> {
  const written = async (): Promise<number> => {
    const answer = child.message<{ written: number }>();
    child.process.send("look");
    return (await answer).written;
  };
  const before = await written();
  while ((await written()) < before + more) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function recordOf(manager: JobManager): Promise<RunRecord | undefined> {
  for await (const record of manager.history({ name: "logger" })) return record;
  return undefined;
}

interface Outage {
  readonly name: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

describe.skipIf(whyMissing("redis-server") !== undefined)("a Redis that is away in the middle", () => {
  const setUp = async (how: "killed" | "frozen"): Promise<{ options: JobManagerOptions; outage: Outage }> => {
    const server = await startRedis({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
    onTestFinished(() => server.stop());
    const options = both({ type: "redis", args: { url: server.url, deadline: 1_000 } });
    const frozen = { begin: async () => server.freeze(), end: async () => server.thaw() };
    return {
      options,
      outage: { name: how, ...(how === "frozen" ? frozen : { begin: server.kill, end: server.start }) },
    };
  };

  it.each(["killed", "frozen"] as const)(
    "the job does not notice, its reader goes on, and the loss is counted to the line: %s",
    async (how) => {
      const { options, outage } = await setUp(how);
      const child = startChild("logger.child.ts", [JSON.stringify(options), "10000000"]);
      const { id } = await child.message<{ id: string }>();
      await using manager = await openJobManager(options);
      const { items, over } = follow(manager, id);
      child.process.send("go");
      await goesOn(child, 5_000);
      await outage.begin();
      // More than the memory of a log holds.
      await goesOn(child, 60_000);
      await outage.end();
      const before = items.length;
      await expect.poll(() => items.length, { interval: 20 }).toBeGreaterThan(before);
      await goesOn(child, 5_000);
      const written = await (async () => {
        const answer = child.message<{ ended: number }>();
        child.process.send("last");
        await answer;
        await over;
        return items.findLast((item) => "line" in item)?.line ?? 0;
      })();
      expect(faultsOf(items, written, lineOf)).toEqual([]);
      const dropped = items.reduce((sum, item) => sum + (("missing" in item && item.dropped?.lines) || 0), 0);
      expect(dropped).toBeGreaterThan(10_000);
      expect(faultsOf(await all(manager, id), written, lineOf)).toEqual([]);
      expect(await recordOf(manager)).toMatchObject({ status: "completed" });
      expect(await child.ended).toBe(0);
      expect(child.output.stderr).toBe("");
    },
  );

  it("a job that ends while the store of its log is away ends in time", async () => {
    const { options, outage } = await setUp("frozen");
    const file = join(temporaryFolder(), "ojm.db");
    const apart = { ...both({ type: "sqlite", args: { file } }), chLogs: options.chJobs ?? {} };
    const child = startChild("logger.child.ts", [JSON.stringify(apart), "10000000"]);
    const { id } = await child.message<{ id: string }>();
    await using manager = await openJobManager(apart);
    child.process.send("go");
    await goesOn(child, 5_000);
    await outage.begin();
    const ended = child.message<{ lines: number }>();
    child.process.send("last");
    // The store stays away until it has ended.
    const { lines } = await ended;
    expect(await child.ended).toBe(0);
    expect(await recordOf(manager)).toMatchObject({ status: "completed" });
    await outage.end();
    // A frozen server may still have had the last lines in its socket, and takes them as it thaws.
    const items = await all(manager, id);
    const isCut = "missing" in (items.at(-1) ?? {});
    if (isCut) expect(items.at(-1)).toEqual({ missing: "unknown" });
    else expect(faultsOf(items, lines, lineOf)).toEqual([]);
  });
});
