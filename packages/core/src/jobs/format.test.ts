import { describe, expect, onTestFinished, test } from "vitest";
import type { Channel } from "../channel/channel.js";
import { openChannel } from "../channel/open.js";
import { VERSIONS } from "../locks/versions.js";
import { scribble } from "../testing/scribble.js";
import { rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import { FORMATS, type FormatValue } from "./format.js";
import { type JobManager, openJobManager } from "./manager.js";

const KEY = ["format"];
const MARK = { wrote: 1, reads: 1, ojm: VERSIONS.ojm };

interface Formats extends ManagerOf {
  readonly channel: Channel<FormatValue>;
}

async function formats(world: World, way: "way" | "jobsWay" = "way", apart = false): Promise<Formats> {
  const opened = await world.manager({ apart });
  const channel = await openChannel<FormatValue>(FORMATS, { backend: opened[way], clock: world.clock });
  return { ...opened, channel };
}

describe.each(STORES)("records and locks $stores", ({ apart }) => {
  test("the first manager writes the format into each store, and later ones leave the entry as it is", async () => {
    const world = new World();
    const { channel } = await formats(world, "way", apart);
    const first = await channel.entry(KEY);
    expect(first?.value).toEqual(MARK);
    const other = await formats(world, "jobsWay", apart);
    expect((await other.channel.entry(KEY))?.version).toBe(first?.version);
  });

  test("a store that needs a later version is refused in one line, and nothing is written to it", async () => {
    const world = new World();
    const { channel, manager } = await formats(world, "jobsWay", apart);
    await manager.close();
    await channel.set(KEY, { wrote: 9, reads: 3, ojm: "0.9.0" });
    const before = await channel.entry(KEY);
    const error = await rejection(world.manager({ apart }));
    expect(error).toMatchObject({
      code: "INVALID_CONFIG",
      message: `the store${apart ? " of the locks" : ""} needs a later version of ojm: its entries have format 3, written by 0.9.0, and ${VERSIONS.ojm} reads up to format 2. Upgrade all @ojm packages to 0.9.0 or later`,
    });
    expect(await channel.entry(KEY)).toEqual(before);
  });

  test("a later version wrote to the store, but this one can still read it: it opens, and keeps the entry", async () => {
    const world = new World();
    const { channel } = await formats(world, "way", apart);
    const later = { wrote: 3, reads: 1, ojm: "0.3.0", more: ["x"] };
    await channel.set(KEY, later);
    const { manager } = await world.manager({ apart });
    expect((await manager.run("a", () => 5)).result).toBe(5);
    expect(await channel.get(KEY)).toEqual(later);
  });

  test("an earlier format is raised, and unknown fields stay", async () => {
    const world = new World();
    const { channel } = await formats(world, "way", apart);
    await channel.set(KEY, { wrote: 0, reads: 0, ojm: "0.0.9", more: ["x"] } as never);
    await world.manager({ apart });
    expect(await channel.get(KEY)).toEqual({ wrote: 1, reads: 0, ojm: VERSIONS.ojm, more: ["x"] });
  });
});

test("a store of the logs has its format, and is not written to if it needs a later version", async () => {
  const warned: string[] = [];
  const onWarning = ({ message }: Error): void => void warned.push(message);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  const world = new World();
  const [way, logs] = [await world.way(), await new World().way()];
  const open = (): Promise<JobManager> =>
    world.clock.until(
      openJobManager({
        chJobs: { backend: way },
        chLocks: { backend: way },
        chLogs: { backend: logs },
        clock: world.clock,
      }),
    );
  const logged = async (manager: JobManager): Promise<void> => {
    await world.clock.until(manager.run("a", (run) => run.log.info("hello")));
    await world.clock.until(manager.close());
  };
  await logged(await open());
  const formats = await openChannel<FormatValue>(FORMATS, { backend: logs, clock: world.clock });
  expect(await formats.get(KEY)).toEqual(MARK);
  await formats.set(KEY, { wrote: 3, reads: 3, ojm: "0.9.0" });
  const { length } = logs.commits;
  await logged(await open());
  expect(logs.commits).toHaveLength(length);
  expect(warned).toEqual([expect.stringContaining("the store of the logs needs a later version of ojm")]);
});

test.each(["no JSON", "null", '"x"', "{}", '{"wrote":1,"reads":"2","ojm":"1"}'])(
  "a damaged entry keeps no process out, and stays for doctor: %s",
  async (text) => {
    const world = new World();
    const { channel, way } = await formats(world);
    await scribble({ way, channel } as never, KEY, text);
    const { version } = (await channel.keys().next()).value ?? {};
    const { manager } = await world.manager();
    expect((await manager.run("a", () => 5)).result).toBe(5);
    expect((await channel.keys().next()).value).toMatchObject({ key: KEY, version });
  },
);

test("a full store is opened without the entry, and the next manager writes it", async () => {
  const world = new World();
  const way = await world.way();
  way.fault = ({ kind }) => (kind === "commit" ? { type: "full" } : undefined);
  const manager = await world.clock.until(
    openJobManager({ chJobs: { backend: way }, chLocks: { backend: way }, clock: world.clock }),
  );
  expect(way.commits.some(({ writes }) => writes.some(({ key }) => key.includes("format")))).toBe(true);
  await manager.close();
  const { channel } = await formats(world);
  expect(await channel.get(KEY)).toEqual(MARK);
});
