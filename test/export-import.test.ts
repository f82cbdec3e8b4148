import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { JobManager, LogItem, RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { type EtcdServer, etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { type RedisServer, startRedis, whyMissing } from "@ojm/testing/redis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../packages/cli/src/store/open.js";
import { called } from "../packages/cli/src/testing/called.js";
import { given } from "../packages/cli/src/testing/given.js";
import { commandOf, type Ended } from "../packages/cli/src/testing/ojm.js";

/* From each kind of store into each, while jobs run in the exported one. */

const kinds = ["sqlite", "level", "redis", "etcd"] as const;
type KindOfStore = (typeof kinds)[number];

const missing: Partial<Record<KindOfStore, string | undefined>> = {
  redis: whyMissing("redis-server"),
  etcd: etcdMissing(),
};

let redis: RedisServer | undefined;
let etcd: EtcdServer | undefined;
let stores = 0;
let databases = 0;

beforeAll(async () => {
  if (missing.redis === undefined) redis = await startRedis();
  if (missing.etcd === undefined) etcd = await startEtcd();
}, 60_000);

afterAll(async () => {
  await redis?.stop();
  await etcd?.stop();
});

/** An empty store, as it is written on the command line. */
function newStore(kind: KindOfStore): string {
  stores++;
  if (kind === "redis") return `redis://127.0.0.1:${redis?.port}/${databases++}`;
  if (kind === "etcd") return `etcd://${etcd?.host}/${stores}/`;
  return `${kind}:${join(temporaryFolder(), "store")}`;
}

async function open(store: string): Promise<JobManager> {
  const manager = await openStore(await given("runs", "--store", store), { create: true });
  onTestFinished(() => manager.close());
  return manager;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The runs and schedules of a store. */
interface Content {
  readonly runs: ReadonlyMap<string, { readonly record: RunRecord; readonly log: readonly LogItem[] }>;
  readonly failed: readonly string[];
  readonly ticks: readonly ScheduleTick[];
  readonly schedules: readonly unknown[];
  readonly audits: readonly unknown[];
}

async function contentOf(manager: JobManager): Promise<Content> {
  await using scheduler = openScheduler(manager);
  const runs = new Map<string, { record: RunRecord; log: LogItem[] }>();
  for await (const record of manager.history())
    runs.set(record.id, { record, log: await collect(manager.log(record, { progress: true })) });
  const schedules = await collect(scheduler.schedules());
  return {
    runs,
    failed: (await collect(manager.history({ status: "failed" }))).map(({ id }) => id),
    ticks: await collect(scheduler.ticks("each-second")),
    schedules: schedules.map(({ name, definition, revision }) => ({ name, definition, revision })),
    audits: (await collect(manager.channels.locks.entries({ prefix: ["audit"] }))).map(({ key, value }) => [
      key,
      value,
    ]),
  };
}

/** Runs of all kinds, and the ids of those that are over. */
async function fill(manager: JobManager): Promise<string[]> {
  await manager.run("import", () => ({ rows: 3 }), { meta: { customer: "ä" } });
  await manager.run("import", () => Promise.reject(new Error("no"))).catch(() => {});
  // It fails: etcd keeps no log of a run that completed.
  const talking = manager.run("talks", (run) => {
    for (let n = 1; n <= 100; n++) run.log.info(`line ${n} \u001b[31m`);
    run.progress(1, 2, "orders");
    throw new Error("that is all");
  });
  await talking.catch(() => {});
  const run = await manager.start("hangs");
  await manager.unlock("hangs", { reason: "it hangs" });
  await run.end().catch(() => {});
  const done = await collect(manager.history());
  await expect
    .poll(async () => (await collect(manager.log(done.find(({ name }) => name === "talks")?.id ?? ""))).length)
    .toBe(100);
  return done.map(({ id }) => id);
}

/** Runs jobs until it is stopped. */
async function traffic(manager: JobManager): Promise<() => Promise<void>> {
  const scheduler = openScheduler(manager);
  await scheduler.add("each-second", { every: 1_000 }, () => {});
  let goesOn = true;
  const running = (async () => {
    for (let n = 0; goesOn; n++) {
      // On a stalling machine, a run may be lost. The next one runs.
      await manager.run("traffic", (run) => run.log.info(`run ${n}`)).catch(() => {});
      // A store in this process never yields, so the export would get no turn.
      await setTimeout(50);
    }
  })();
  await expect.poll(async () => (await collect(scheduler.ticks("each-second"))).length).toBeGreaterThan(0);
  return async () => {
    goesOn = false;
    await running;
    await scheduler.close({ grace: 30_000 });
  };
}

describe.each(kinds)("an export of %s, in which jobs run", (kind) => {
  const why = missing[kind];
  const others = kinds.filter((other) => missing[other] === undefined);

  it.skipIf(why !== undefined)(
    "gives the same content in each kind of store",
    { tags: kind === "sqlite" ? [] : ["full"] },
    async () => {
      const store = newStore(kind);
      const source = await open(store);
      const before = await fill(source);
      const open1 = await source.start("open");
      const stop = await traffic(source);
      const folder = temporaryFolder();
      const { code, out, err } = await called(folder, ["export", "--store", store]);
      expect([code, err]).toEqual([
        0,
        expect.stringMatching(/^ojm: exported \d+ runs, .*Left out [123]: it is still running\n$/),
      ]);
      await stop();
      await open1.end();
      writeFileSync(join(folder, "export.jsonl"), out);
      const expected = await contentOf(source);
      for (const other of others) {
        const target = newStore(other);
        const { code, out, err } = await called(folder, ["import", "export.jsonl", "--store", target, "--json"]);
        const { lowerFences, ...counts } = JSON.parse(out);
        const warning = lowerFences === undefined ? "" : expect.stringMatching(/^ojm: warning: the fences [^\n]*\n$/);
        expect([other, code, err]).toEqual([other, 0, warning]);
        expect(counts).toMatchObject({
          from: { store: kind },
          runs: { present: 0, leftOut: {} },
          schedules: { imported: 1 },
        });
        const manager = await open(target);
        const found = await contentOf(manager);
        expect([...found.runs.keys()]).toEqual([...expected.runs.keys()].filter((id) => found.runs.has(id)));
        for (const id of before) expect([other, found.runs.get(id)]).toEqual([other, expected.runs.get(id)]);
        for (const [id, { record }] of found.runs) expect(record).toEqual(expected.runs.get(id)?.record);
        expect(found.failed).toEqual(expected.failed);
        expect(found.schedules).toEqual(expected.schedules);
        expect(found.audits).toEqual(expected.audits);
        const own = found.ticks.filter(({ reason }) => reason !== "imported");
        expect(own.length).toBeGreaterThan(0);
        for (const tick of own) expect(expected.ticks).toContainEqual(tick);
        expect(await manager.heldLocks()).toEqual([]);
        const again = await called(folder, ["import", "export.jsonl", "--store", target]);
        expect([again.code, again.out]).toEqual([
          0,
          expect.stringMatching(/^imported nothing\nalready there: \d+ runs, /),
        ]);
        // The highest imported fence: the source kept running after the export, and its later fences may be
        // higher.
        const highest =
          [...found.runs.values()]
            .map(({ record }) => record.fence ?? "")
            .toSorted()
            .at(-1) ?? "";
        const { record } = await manager.run("next", () => {});
        if (lowerFences === undefined) expect([other, (record.fence ?? "") > highest]).toEqual([other, true]);
        else expect(lowerFences.here < lowerFences.imported).toBe(true);
        await manager.close();
      }
    },
  );
});

describe("on the command line", () => {
  /** Runs a line of the shell; `ojm` stands for the program. */
  function shell(folder: string, line: string): Promise<Ended> {
    const ojm = commandOf([])
      .map((word) => `'${word}'`)
      .join(" ");
    const child = spawn("sh", ["-c", line.replaceAll("ojm", ojm)], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
  }

  async function filled(): Promise<string> {
    const folder = temporaryFolder();
    const manager = await open(`sqlite:${join(folder, "a.db")}`);
    await fill(manager);
    await manager.close();
    return folder;
  }

  it("an export can be piped into an import, and ends well when its reader goes away", async () => {
    const folder = await filled();
    const piped = await shell(folder, "ojm export --store sqlite:a.db | ojm import --store sqlite:b.db");
    expect([piped.code, piped.out]).toEqual([0, "imported 4 runs, 2 parts of logs, 1 audit entry\n"]);
    expect(piped.err.split("\n").sort()).toEqual([
      "",
      expect.stringMatching(/^ojm: created the store .*b\.db\. --store is relative to this folder/),
      "ojm: exported 4 runs, 2 parts of logs, 1 audit entry",
      expect.stringMatching(/^ojm: warning: the fences of this store are below .* \(0{10}\d{9} < 0{10}\d{9}\)/),
    ]);
    const head = await shell(folder, "ojm export --store sqlite:a.db --no-logs | head -n 1");
    expect([head.code, head.err.replace(/^ojm: exported.*\n$/, "")]).toEqual([0, ""]);
    expect(JSON.parse(head.out)).toMatchObject({ format: "ojm-export", version: 1, store: "sqlite" });
  }, 60_000);

  it("a damaged line is reported by its number, with what was done before, and exit code 2", async () => {
    const folder = await filled();
    const { out } = await called(folder, ["export", "--store", "sqlite:a.db"]);
    const lines = out.trimEnd().split("\n");
    const importOf = (text: string | Uint8Array, ...more: string[]): Promise<Ended> => {
      writeFileSync(join(folder, "x.jsonl"), text);
      return called(folder, ["import", "x.jsonl", "--store", "sqlite:b.db", ...more]);
    };
    const damaged = await importOf([...lines.slice(0, 2), "{", ...lines.slice(2)].join("\n"));
    const made = /^ojm: created the store .*b\.db\. .*\n/;
    expect([damaged.code, damaged.out, damaged.err.replace(made, "")]).toEqual([
      2,
      "",
      "ojm: line 3 of x.jsonl is damaged: it is not a JSON object. Before that: imported 1 run. It is safe to import it again\n",
    ]);
    const early = await importOf(lines.slice(0, 3).join("\n"));
    expect([early.code, early.err]).toEqual([
      2,
      expect.stringMatching(/^ojm: x.jsonl ends early, after line 3: .*already there: 1 run\. /),
    ]);
    expect(await importOf(out.replace('"status":"failed"', '"status":5'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^ojm: line \d+ of x.jsonl is damaged: the record of talks@.* is damaged\. /),
    });
    expect(await importOf(`${out}{}\n`)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/comes after the end/),
    });
    const binary = Buffer.concat([Buffer.from(`${lines[0]}\n`), Buffer.from([0xff, 0xfe, 10])]);
    expect(await importOf(binary)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^ojm: line 2 of x.jsonl is not text in UTF-8/),
    });
    expect(await importOf("hello\n")).toMatchObject({
      code: 2,
      err: 'ojm: x.jsonl is not an export of ojm: its first line does not have the format "ojm-export"\n',
    });
    expect(await importOf("")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^ojm: x\.jsonl is empty: an export/),
    });
    expect(await importOf(out.replace('"version":1', '"version":2'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/update ojm\n$/),
    });
    const none = await called(folder, ["import", "none.jsonl", "--store", "sqlite:c.db"]);
    expect([none.code, none.err]).toEqual([2, expect.stringMatching(/^ojm: none.jsonl cannot be read: ENOENT/)]);
    expect(await importOf(out, "--store", "redis://127.0.0.1:1")).toMatchObject({ code: 5, out: "" });
  }, 60_000);

  it.skipIf(!existsSync("/dev/full"))(
    "an export that cannot be written is an error",
    async () => {
      const folder = await filled();
      expect(await shell(folder, "ojm export --store sqlite:a.db > /dev/full")).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^ojm: the output cannot be written: /),
      });
    },
    60_000,
  );

  it("an export is of one job, and of a time", async () => {
    const folder = await filled();
    const of = async (...words: string[]): Promise<string> =>
      (await called(folder, ["export", "--store", "sqlite:a.db", ...words])).err;
    expect(await of("talks", "--no-logs")).toBe("ojm: exported 1 run\n");
    expect(await of("--until", "1h")).toBe("ojm: exported nothing\n");
    expect(await of("--since", "1h")).toMatch(/^ojm: exported 4 runs, /);
    expect(await called(folder, ["export", "--store", "sqlite:a.db", "--since", "1h", "--until", "2h"])).toMatchObject({
      code: 2,
    });
  });
});
