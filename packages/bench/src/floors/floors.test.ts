import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Channel, openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { backend as simple } from "@ojm/simple";
import { postgresMissing, startPostgres } from "@ojm/testing/postgres";
import { expect, it, onTestFinished } from "vitest";
import { ended, type Floor, started } from "./floor.js";
import { levelFloor } from "./level.js";
import { memoryFloor } from "./memory.js";
import { postgresFloor } from "./postgres.js";
import { sqliteFloor } from "./sqlite.js";

function path(): string {
  const folder = mkdtempSync(join(tmpdir(), "ojm-floor-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "floor");
}

const floors: Readonly<Record<string, () => Floor | Promise<Floor>>> = {
  memory: memoryFloor,
  level: () => levelFloor(path()),
  sqlite: () => sqliteFloor(path()),
};

it.each(Object.entries(floors))("each run on the floor of %s leaves one closed record", async (_, open) => {
  const floor = await open();
  onTestFinished(() => floor.close());
  for (let i = 0; i < 5; i++) await Promise.all([floor.run("a"), floor.run("b")]);
  expect(await floor.records()).toBe(10);
});

it.each(Object.entries(floors))("the floor of %s refuses a name that is held", async (_, open) => {
  const floor = await open();
  onTestFinished(() => floor.close());
  const results = await Promise.allSettled([floor.run("a"), floor.run("a")]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(await floor.records()).toBe(1);
});

it.skipIf(postgresMissing() !== undefined)(
  "the floor of postgres closes its records and refuses a held name",
  async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const floor = await postgresFloor(server.url);
    for (let i = 0; i < 5; i++) await Promise.all([floor.run("a"), floor.run("b")]);
    await server.sql("insert into floor.locks values ('a', 0, '')");
    await expect(floor.run("a")).rejects.toThrow("a is locked");
    await server.sql("insert into floor.queues values ('b', '')");
    await expect(floor.run("b")).rejects.toThrow("b is locked");
    expect(await floor.records()).toBe(10);
    await floor.close();
  },
);

it("lock and record of a floor have the fields that ours have", async () => {
  const backend = await simple.open({}, { clock: { ...systemClock } });
  await using manager = await openJobManager({ chJobs: { backend }, chLocks: { backend } });
  const only = async (channel: Channel, scan: { prefix?: string[] } = {}): Promise<string[]> => {
    const values: unknown[] = [];
    for await (const { value } of channel.entries(scan)) values.push(value);
    expect(values).toHaveLength(1);
    return fields(values[0]);
  };
  const fields = (value: unknown): string[] => Object.keys(value ?? {}).sort();
  const { jobs, locks } = manager.channels as unknown as Record<"jobs" | "locks", Channel>;
  const run = await manager.start("job");
  const { lock, record } = started("job", 1);
  expect(fields(lock)).toEqual(await only(locks, { prefix: ["lock"] }));
  expect(fields(record)).toEqual(await only(jobs));
  await run.end();
  expect(fields(ended(record, "1", 2))).toEqual(await only(jobs));
});
