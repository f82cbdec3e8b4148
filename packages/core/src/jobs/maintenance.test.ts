import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Channel } from "../channel/channel.js";
import { World } from "../testing/world.js";
import { FORMAT, FORMATS, type FormatValue } from "./format.js";
import { KnownMaintenance, MAINTENANCE, maintenanceIn, maintenanceOf } from "./maintenance.js";
import type { JobManager } from "./manager.js";
import type { Maintenance } from "./types.js";

const reason = "the database moves";

describe("what a value means", () => {
  const one = (names: string, at: number, until?: number): Maintenance => ({
    ...{ names, reason, by: "ana", at },
    ...(until !== undefined && { until }),
  });

  it("of several maintenances of a name, the one that ends last counts; those that are over do not", () => {
    const all = [one("a*", 1, 50), one("*", 2, 90), one("ab", 3), one("b", 4, 10)];
    expect(maintenanceIn({ all }, 10).map(({ at }) => at)).toEqual([3, 2, 1]);
    expect(maintenanceOf(maintenanceIn({ all }, 10), "ab")).toMatchObject({ at: 3 });
    expect(maintenanceOf(maintenanceIn({ all }, 10), "ac")).toMatchObject({ at: 2 });
    expect(maintenanceOf(maintenanceIn({ all }, 90), "ac")).toBeUndefined();
  });

  it("items of a later version are left out, and a value of another program means none", () => {
    expect(maintenanceIn({ all: [{ calendar: "x" }, one("*", 1)] }, 5)).toHaveLength(1);
    for (const value of [undefined, null, 7, "text", [], {}, { all: 3 }]) expect(maintenanceIn(value, 5)).toEqual([]);
  });
});

describe("in a store", () => {
  let world: World;
  let manager: JobManager;
  let channel: Channel<unknown>;

  beforeEach(async () => {
    world = new World();
    ({ manager } = await world.manager());
    channel = manager.channels.locks as Channel<unknown>;
  });

  it("an earlier version, which would ignore it, can no longer open the store", async () => {
    const formats = await manager.channel<FormatValue>(FORMATS);
    await formats.set(["format"], { wrote: 1, reads: 1, ojm: "0.1.0" });
    await manager.startMaintenance({ reason });
    expect(await formats.get(["format"])).toMatchObject({ reads: FORMAT });
  });

  afterEach(() => world.clock.until(manager.close()));

  it("each has its own end, and what a later version wrote stays", async () => {
    const { clock } = world;
    await clock.until(channel.set(MAINTENANCE, { all: [{ later: true }] }));
    await clock.until(manager.startMaintenance({ names: "a*", reason }));
    await clock.until(manager.startMaintenance({ reason, until: clock.now() + 1_000 }));
    expect((await clock.until(manager.maintenance())).map(({ names }) => names)).toEqual(["a*", "*"]);
    await clock.advance(1_000);
    expect((await clock.until(manager.maintenance())).map(({ names }) => names)).toEqual(["a*"]);
    expect(await clock.until(manager.endMaintenance({ names: "b" }))).toEqual([]);
    expect(await clock.until(manager.endMaintenance())).toMatchObject([{ names: "a*", reason }]);
    expect(await clock.until(manager.endMaintenance())).toEqual([]);
    expect(await clock.until(channel.get(MAINTENANCE))).toMatchObject({
      all: expect.arrayContaining([{ later: true }]),
    });
  });

  it("an old answer to a read does not bring an ended maintenance back", async () => {
    const { clock } = world;
    const known = new KnownMaintenance(channel, clock);
    await clock.until(manager.startMaintenance({ reason }));
    const reading = known.read();
    // The watch reports the end while the answer is on its way.
    known.gone(MAINTENANCE);
    await clock.until(reading);
    expect(known.of("a")).toBeUndefined();
    await clock.until(known.read());
    expect(known.of("a")).toMatchObject({ reason });
  });

  it("the check of a start fails while a known maintenance keeps its name from running, and holds for others", async () => {
    const { clock } = world;
    const known = new KnownMaintenance(channel, clock);
    await clock.until(manager.startMaintenance({ names: "a*", reason }));
    await clock.until(known.read());
    const holds = async (name: string): Promise<boolean> =>
      (await clock.until(channel.commit([...known.check(name).ops]))).ok;
    expect([await holds("ab"), await holds("b")]).toEqual([false, true]);
    await clock.until(manager.endMaintenance());
    expect([await holds("ab"), await holds("b")]).toEqual([true, false]);
  });
});
