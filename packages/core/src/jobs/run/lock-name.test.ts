import { beforeEach, describe, expect, test } from "vitest";
import { openChannel } from "../../channel/open.js";
import { lockKey } from "../../locks/entries/schema.js";
import { type FakeClock, settled } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import { FORMATS } from "../format.js";
import type { Run, RunRecord } from "../types.js";

const TTL = 15_000;
const REASON = { reason: "wrong month" };

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

/** A body that runs until it is signalled to stop. */
const untilStopped = (run: Run): Promise<void> =>
  new Promise((_, reject) => {
    run.signal.addEventListener("abort", () => reject(run.signal.reason), { once: true });
  });

describe.each(STORES)("records and locks $stores: a lock of another name", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    [one, two] = [await world.manager({ apart }), await world.manager({ apart })];
  });

  const records = (name: string): Promise<RunRecord[]> => collect(two.manager.history({ name }));
  const format = async (way: "way" | "jobsWay"): Promise<unknown> => {
    const channel = await openChannel(FORMATS, { backend: one[way], clock });
    return channel.get(["format"]);
  };

  test("runs of different names with one lock exclude each other, and the error names the lock", async () => {
    const run = await clock.until(one.manager.start("mail", { lock: "smtp" }));
    expect(run).toMatchObject({ name: "mail", lock: "smtp" });
    const error = await clock.until(rejection(two.manager.run("news", () => {}, { lock: "smtp", wait: 0 })));
    expect(error).toMatchObject({ code: "LOCKED", job: "news", held: { name: "smtp" } });
    expect((error as Error).message).toContain("by the lock 'smtp'");
    expect(await clock.until(rejection(two.manager.run("smtp", () => {}, { wait: 0 })))).toMatchObject({
      code: "LOCKED",
    });
    await clock.until(run.end());
    await clock.until(two.manager.run("news", () => {}, { lock: "smtp", wait: 0 }));
    expect((await records("mail"))[0]).toMatchObject({ status: "completed", lock: "smtp", fence: run.fence });
    expect(await records("smtp")).toEqual([]);
  });

  test("runs of one name with different locks run at once, each with a record of its own", async () => {
    const runs = [
      await clock.until(one.manager.start("mail", { lock: "a" })),
      await clock.until(two.manager.start("mail", { lock: "b" })),
      await clock.until(two.manager.start("mail")),
    ];
    expect(new Set(runs.map(({ id }) => id)).size).toBe(3);
    const active = await two.manager.activeRuns();
    expect(active.map(({ id }) => id).sort()).toEqual(runs.map(({ id }) => id).sort());
    expect((await records("mail")).map(({ status }) => status)).toEqual(["running", "running", "running"]);
    for (const run of runs) await clock.until(run.end());
    expect((await records("mail")).map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
  });

  test("with the lock of its own name, a run writes what it writes without the option", async () => {
    await clock.until(one.manager.run("mail", () => {}, { lock: "mail" }));
    const [record] = await records("mail");
    expect(record).not.toHaveProperty("lock");
    expect(await format("way")).toMatchObject({ wrote: 1, reads: 1 });
  });

  test("the first run with another lock keeps older versions out of each store", async () => {
    await clock.until(one.manager.run("mail", () => {}, { lock: "smtp" }));
    expect(await format("way")).toMatchObject({ wrote: 2, reads: 2 });
    expect(await format("jobsWay")).toMatchObject({ wrote: 2, reads: 2 });
    expect((await world.manager({ apart })).manager).toBeDefined();
  });

  test("the run of a dead process is closed under its own name, and its next attempt has the same lock", async () => {
    const retry = { attempts: 2, delay: 1_000, onLost: true };
    void one.manager.run("mail", untilStopped, { lock: "smtp", retry }).catch(() => {});
    await clock.advance(100);
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.advance(3 * TTL);
    const [lost] = await records("mail");
    expect(lost).toMatchObject({ status: "lost", lock: "smtp" });
    expect(await records("smtp")).toEqual([]);
    expect(await two.manager.heldLocks()).toEqual([]);
    expect(await two.manager.retries("mail")).toMatchObject([{ name: "mail", lock: "smtp", attempt: 2 }]);
    const again = two.manager.run("mail", (run) => run.lock, { retry: { attempts: 2 } });
    expect((await clock.until(again, 60_000)).result).toBe("smtp");
  });

  test("the housekeeping leaves a living run with another lock open", async () => {
    const run = await clock.until(one.manager.start("mail", { lock: "smtp", timeout: "2d" }));
    await clock.advance(90_000_000);
    expect((await records("mail"))[0]).toMatchObject({ status: "running", id: run.id });
    expect((await clock.until(run.end())).status).toBe("completed");
  });

  test("a cancel goes by the name of the run, not by that of its lock", async () => {
    const work = rejection(one.manager.run("mail", untilStopped, { lock: "smtp" }));
    await clock.advance(1_000);
    expect(await clock.until(two.manager.cancel("smtp", REASON))).toEqual({ requested: false, ended: false });
    const { ended, run } = await clock.until(two.manager.cancel("mail", REASON));
    expect({ ended, status: run?.status }).toEqual({ ended: true, status: "cancelled" });
    expect(await clock.until(work)).toMatchObject({ code: "CANCELLED" });
    expect((await collect(two.manager.audit({ name: "mail" })))[0]).toMatchObject({ action: "cancel", run: run?.id });
  });

  test("a cancel by name rejects if several runs of the name are active; by id, it cancels that one", async () => {
    const works = ["a", "b"].map((lock) => rejection(one.manager.run("mail", untilStopped, { lock })));
    await clock.advance(1_000);
    const ids = (await records("mail")).map(({ id }) => id).sort();
    const error = await clock.until(rejection(two.manager.cancel("mail", REASON)));
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringContaining(ids.join(", ")) });
    for (const id of ids) {
      const { run } = await clock.until(two.manager.cancel(id, REASON));
      expect(run).toMatchObject({ id, status: "cancelled" });
    }
    await clock.until(Promise.all(works));
  });

  test("hold and unlock go by the lock: a hold stops every run with that lock", async () => {
    await clock.until(two.manager.hold("smtp", { reason: "the server moves", author: "ana" }));
    const error = await clock.until(rejection(one.manager.run("mail", () => {}, { lock: "smtp", wait: 0 })));
    expect(error).toMatchObject({ code: "LOCKED", held: { name: "smtp" } });
    await clock.until(two.manager.unlock("smtp", REASON));
    const work = rejection(one.manager.run("mail", untilStopped, { lock: "smtp" }));
    await clock.advance(1_000);
    const { unlocked, run } = await clock.until(two.manager.unlock("smtp", REASON));
    expect({ unlocked, run }).toMatchObject({ unlocked: true, run: { name: "mail", status: "cancelled" } });
    await clock.until(work);
    expect((await collect(two.manager.audit({ name: "smtp" })))[0]).toMatchObject({ action: "unlock", run: run?.id });
  });

  test("why reports the lock of the last run, its holder and its waiters", async () => {
    await clock.until(one.manager.run("news", () => {}, { lock: "smtp" }));
    const run = await clock.until(one.manager.start("mail", { lock: "smtp" }));
    const waiting = two.manager.run("news", () => {}, { lock: "smtp", wait: "1m" });
    await clock.advance(1_000);
    const texts = (await two.manager.why("news")).map(({ text }) => text);
    expect(texts[0]).toContain(`its lock "smtp" is held by ${run.id}`);
    expect(texts[1]).toContain('one run waits for the lock "smtp"');
    expect((await two.manager.why("mail"))[0]).toMatchObject({
      code: "running",
      text: expect.stringContaining('it runs now with the lock "smtp"'),
    });
    await clock.until(run.end());
    await clock.until(waiting);
  });

  test("a live view finds the run by its name, and its waiters by its lock", async () => {
    const changed: string[] = [];
    using live = await one.manager.followRuns({ changed: (name) => changed.push(name) });
    await clock.until(live.ready);
    const run = await clock.until(one.manager.start("mail", { lock: "smtp" }));
    const waiting = two.manager.run("news", () => {}, { lock: "smtp", wait: "1m" });
    await clock.advance(1_000);
    expect(live.run("mail")).toMatchObject({ id: run.id, lock: "smtp", waiting: 1 });
    expect(live.run("smtp")).toBeUndefined();
    expect(changed).toContain("mail");
    await clock.until(run.end());
    await clock.until(waiting);
    await settled();
    expect(live.runs()).toEqual([]);
  });

  test("an option that is not the name of a lock is rejected", async () => {
    for (const lock of ["", 5, "ojm x"]) {
      const error = await rejection(one.manager.run("mail", () => {}, { lock } as never));
      expect(error).toMatchObject({ code: "INVALID", job: "mail" });
    }
    expect(await two.manager.channels.locks.get(lockKey("mail"))).toBeUndefined();
  });
});
