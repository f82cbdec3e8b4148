import { openJobManager } from "@ojm/core";
import type { BackendType } from "@ojm/core/backend";
import { backend as postgres } from "@ojm/postgres";
import { backend as redis } from "@ojm/redis";
import { backend as simple } from "@ojm/simple";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { startRedis, startSentinel, whyMissing } from "@ojm/testing/redis";
import { expect, it, onTestFinished } from "vitest";
import { examine } from "../packages/cli/src/commands/look/doctor/doctor.js";

/* `ojm doctor` says which event makes a store lose acknowledged writes, and the remedy for that store. */

const noRedis = whyMissing("redis-server");
const noPostgres = postgresMissing();

/** What doctor says about the durability of a store. */
async function verdict(backend: BackendType, args: Readonly<Record<string, unknown>>): Promise<string> {
  const store = { backend, args };
  await using jobs = await openJobManager({ chJobs: store, chLocks: store });
  const found = (await examine(jobs, [])).find(({ check }) => check === "store");
  return `${found?.state}: ${found?.text} -> ${found?.help}`;
}

it("doctor warns that a store in memory survives nothing", async () => {
  expect(await verdict(simple, {})).toBe(
    "warning: records and locks: what was written survives nothing; for one process alone -> " +
      "name a store that keeps its data: a file, or a server",
  );
});

it.skipIf(noRedis !== undefined)("doctor names appendonly for a Redis server without it", async () => {
  const server = await startRedis({ args: ["--appendonly", "no"] });
  onTestFinished(() => server.stop());
  expect(await verdict(redis, { url: server.url })).toMatch(
    /^warning: .* a restart of the server may lose what was written; .* -> set appendonly yes on the server/,
  );
});

it.skipIf(noRedis !== undefined)("doctor names waitReplicas for Redis with Sentinels", async () => {
  const setup = await startSentinel();
  onTestFinished(() => setup.stop());
  const { sentinels, name } = setup;
  expect(await verdict(redis, { sentinels, name })).toMatch(
    /^warning: .* a restart of the server or a failover may lose what was written; .*; waitReplicas is 1: the number of all /,
  );
});

it.skipIf(noPostgres !== undefined)(
  "doctor names the replica of PostgreSQL, which a restart loses nothing of",
  async () => {
    const { port, url, sql, stop } = await startPostgres();
    onTestFinished(stop);
    const replica = await startPostgres({ replicaOf: { port, name: "second" } });
    onTestFinished(() => replica.stop());
    await expect.poll(() => sql("select 1 from pg_stat_replication where state = 'streaming'")).toHaveLength(1);
    expect(await verdict(postgres, { url, allowLostWrites: true })).toMatch(
      /^warning: .* the promotion of the asynchronous replica "second" may lose what was written; .* -> set synchronous_standby_names on the server/,
    );
  },
);
