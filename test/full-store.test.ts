import { join } from "node:path";
import { type JobManager, openChannel, openJobManager, type RunRecord } from "@ojm/core";
import { etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { folderWith, temporaryFolder } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { ojm } from "../packages/cli/src/testing/ojm.js";
import { fill, mountSmallDisk, unmount, whyNoSmallDisk } from "./torture/stores/disk.js";

/** No session ends meanwhile. A call that is repeated for that long would outlast the test. */
const TTL = 3_600_000;

interface Channel {
  readonly type: string;
  readonly args: Readonly<Record<string, unknown>>;
}

interface SmallStore {
  readonly channel: Channel;
  /** Fills it, and resolves to a function that makes room again. */
  fill(): Promise<() => Promise<void>>;
}

const noDisk = whyNoSmallDisk(temporaryFolder(afterAll));

/** A folder on a disk of its own, which is gone when the test is over. */
function smallDisk(): string {
  const folder = temporaryFolder();
  mountSmallDisk(folder, 2);
  onTestFinished(() => unmount(folder));
  return folder;
}

/** Writes until the store is full: at first a half-full page may still have room. */
async function fillUp(config: Channel, length: number): Promise<void> {
  const channel = await openChannel("ballast", config);
  try {
    for (let i = 0; ; i++) await channel.set("ballast", `${i} ${"x".repeat(length)}`);
  } catch (error) {
    expect(error).toMatchObject({ code: "FULL" });
  } finally {
    await channel.close();
  }
}

function onDisk(type: string, argument: string): SmallStore {
  const folder = smallDisk();
  const channel = { type, args: { [argument]: join(folder, "store") } };
  return {
    channel,
    async fill() {
      const heal = fill(folder);
      await fillUp(channel, 10);
      return heal;
    },
  };
}

/** Compacts etcd, returns free space of its file to the system, and clears its alarm. */
async function makeRoom(host: string): Promise<void> {
  const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`http://${host}/v3/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const { header } = (await ask("kv/range", { key: "AA==" })) as { header: { revision: string } };
  await ask("kv/compaction", { revision: header.revision, physical: true });
  await ask("maintenance/defragment", {});
  const { alarms } = (await ask("maintenance/alarm", { action: "GET" })) as { alarms: object[] };
  for (const alarm of alarms) await ask("maintenance/alarm", { ...alarm, action: "DEACTIVATE" });
}

const stores: readonly {
  readonly name: string;
  readonly missing: string | undefined;
  readonly reason: RegExp;
  create(): Promise<SmallStore>;
}[] = [
  {
    name: "sqlite, whose disk is full",
    missing: noDisk,
    reason: /SQLite file .*: the disk is full/,
    create: async () => onDisk("sqlite", "file"),
  },
  {
    name: "level, whose disk is full",
    missing: noDisk,
    reason: /LevelDB folder .*: the disk is full/,
    create: async () => onDisk("level", "path"),
  },
  {
    name: "redis with maxmemory and noeviction",
    missing: whyMissing("redis-server"),
    reason: /Redis at .* has no memory left/,
    async create() {
      const server = await startRedis({ args: ["--maxmemory-policy", "noeviction"] });
      onTestFinished(() => server.stop());
      return {
        channel: { type: "redis", args: { url: server.url } },
        async fill() {
          await server.command("CONFIG", "SET", "maxmemory", "1");
          return async () => void (await server.command("CONFIG", "SET", "maxmemory", "0"));
        },
      };
    },
  },
  {
    name: "etcd with a quota",
    missing: etcdMissing(),
    reason: /etcd at .*database space exceeded/,
    async create() {
      const server = await startEtcd({ args: ["--quota-backend-bytes", "400000"] });
      onTestFinished(() => server.stop());
      const channel = { type: "etcd", args: { hosts: server.host } };
      return {
        channel,
        async fill() {
          await fillUp(channel, 10_000);
          return () => makeRoom(server.host);
        },
      };
    },
  },
];

async function recordsOf(manager: JobManager): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name: "job" })) records.push(record);
  return records;
}

describe.each(stores)("$name", ({ missing, reason, create }) => {
  const skipped = missing === undefined ? "" : `: ${missing}`;

  it.skipIf(missing !== undefined)(
    `a run whose end finds the store full gets that error at once, and its record says so once there is room${skipped}`,
    async () => {
      const { channel, fill } = await create();
      await using manager = await openJobManager({ chJobs: channel, chLocks: channel, ttl: TTL });
      const [ended, failed] = [await manager.start("job"), await manager.start("other")];
      const makeRoom = await fill();
      const full = { code: "FULL", message: expect.stringMatching(reason) };
      await expect(ended.end("done")).rejects.toMatchObject(full);
      await expect(failed.fail("because")).rejects.toMatchObject(full);
      await expect(manager.start("third")).rejects.toMatchObject(full);
      await makeRoom();
      await expect.poll(() => manager.heldLocks(), { interval: 20 }).toEqual([]);
      const [record] = await recordsOf(manager);
      expect(record).toMatchObject({ status: "lost", error: expect.stringMatching(reason), inError: true });
      expect(record?.error).toMatch(/^it completed, but its end could not be recorded: /);
      for await (const other of manager.history({ name: "other" })) expect(other).toMatchObject({ error: "because" });
      expect((await manager.run("job", () => "next")).result).toBe("next");
    },
  );
});

const servers = stores.filter(({ name }) => /^(redis|etcd)/.test(name));

describe.each(servers)("a prune of $name", ({ missing, create }) => {
  it.skipIf(missing !== undefined)(
    `deletes the records, and says that its entry of the audit does not fit${missing === undefined ? "" : `: ${missing}`}`,
    async () => {
      const { channel, fill } = await create();
      await using manager = await openJobManager({ chJobs: channel, chLocks: channel, ttl: TTL });
      for (let i = 0; i < 5; i++) await manager.run("job", () => {});
      const makeRoom = await fill();
      const pruned = await manager.prune({ olderThan: 0, keep: 2, author: "ana" });
      expect(pruned).toMatchObject({ removed: 3, unrecorded: { code: "FULL" } });
      expect(await recordsOf(manager)).toHaveLength(2);
      const { url = `etcd://${channel.args["hosts"]}` } = channel.args;
      const { code, out, err } = await ojm(temporaryFolder(), "prune", "--keep", "1", "--store", String(url));
      expect([code, out]).toEqual([5, "removed 1 run\n"]);
      expect(err).toMatch(/^ojm: the audit does not record this prune: /);
      expect(await recordsOf(manager)).toHaveLength(1);
      await makeRoom();
    },
  );
});

it.skipIf(noDisk !== undefined)(
  `ojm run reports at once that the disk of its store is full, and records it if the job's catch makes room${noDisk === undefined ? "" : `: ${noDisk}`}`,
  async () => {
    const disk = smallDisk();
    const yaml = `include: oJobManager.yaml
jobs:
  - name: Init
    to: oJobManager Init
    args:
      chJobs: &store { type: sqlite, args: { file: "${disk}/jobs.db" } }
      chLocks: *store
  - name: Report
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: job, disk: "${disk}" }
    exec: |
      const fs = require("fs");
      const file = fs.openSync(args.disk + "/filler", "a");
      for (let size = 65536; size >= 1; ) {
        try { fs.writeSync(file, Buffer.alloc(size, "x")); } catch (error) { size = size >> 1; }
      }
      fs.closeSync(file);
    catch: |
      print("failed: " + exception.code);
      require("fs").rmSync(args.disk + "/filler");
todo: [Init, Report]
`;
    const { code, out, err } = await ojm(folderWith({ "jobs.yaml": yaml }), "run", "jobs.yaml");
    expect({ code, out }).toEqual({ code: 1, out: "failed: FULL\n" });
    expect(err).toMatch(
      /job "Report" failed: .*the end of the run of "job" cannot be recorded: SQLite file .*: the disk is full/,
    );
    const channel = { type: "sqlite", args: { file: join(disk, "jobs.db") } };
    await using manager = await openJobManager({ chJobs: channel, chLocks: channel });
    expect(await recordsOf(manager)).toMatchObject([
      {
        status: "lost",
        error: expect.stringMatching(/^it completed, but its end could not be recorded: .*the disk is full/),
      },
    ]);
  },
);
