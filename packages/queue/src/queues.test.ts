import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FakeClock } from "../../core/src/testing/fake-clock.js";
import { collect, rejection } from "../../core/src/testing/settle.js";
import { STORES } from "../../core/src/testing/world.js";
import { type QueuesOf, World } from "./testing/world.js";
import type { Item, QueuePause } from "./types.js";
import { pauseText } from "./why.js";

let world: World;
let clock: FakeClock;
let one: QueuesOf;

const AWAY = 120_000;

describe.each(STORES)("records and locks $stores: queues", ({ apart }) => {
  beforeEach(async () => {
    world = new World();
    clock = world.clock;
    one = await world.process("one", { apart });
  });

  afterEach(() => world.close());

  const records = async () => (await clock.until(collect(one.manager.history({ name: "q" })))).reverse();

  test("an item is handled once, in a run with its id and attempt, and is gone then", async () => {
    const { queues } = one;
    const { id, added } = await clock.until(queues.add("q", { to: "ana" }));
    expect(added).toBe(true);
    const seen: unknown[] = [];
    await clock.until(
      queues.work("q", (item) => {
        seen.push([item.id, item.data, item.attempt]);
        return "sent";
      }),
    );
    await clock.advance(100);
    expect(seen).toEqual([[id, { to: "ana" }, 1]]);
    expect(await world.items(one)).toEqual([]);
    expect(await records()).toMatchObject([
      { name: "q", lock: `queue/q/${id}`, status: "completed", result: "sent", meta: { item: id, attempt: 1 } },
    ]);
    await clock.advance(60_000);
    expect(seen).toHaveLength(1);
  });

  test("items that are added later are taken at once, in their order, and at most `concurrency` at a time", async () => {
    const { queues } = one;
    let [now, most] = [0, 0];
    const order: unknown[] = [];
    await clock.until(
      queues.work(
        "q",
        async ({ data }) => {
          most = Math.max(most, ++now);
          order.push(data);
          await new Promise<void>((resolve) => void clock.after(10, resolve));
          now--;
        },
        { concurrency: 3 },
      ),
    );
    for (let i = 0; i < 20; i++) await clock.until(queues.add("q", i));
    await clock.advance(200);
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(most).toBe(3);
    expect(await clock.until(queues.counts("q"))).toMatchObject({ waiting: 0, active: 0, workers: 1, slots: 3 });
  });

  test("a failed attempt is made again after its delay, and the last one makes a dead letter", async () => {
    const { queues } = one;
    await clock.until(queues.define("q", { attempts: 3, delay: "10s", dead: { keep: "20m" } }));
    const at: number[] = [];
    const { id } = await clock.until(queues.add("q", "x"));
    const began = clock.now();
    await clock.until(
      queues.work("q", () => {
        at.push(Math.round((clock.now() - began) / 1_000));
        throw new Error("no route");
      }),
    );
    await clock.advance(1_000);
    expect(await world.items(one)).toMatchObject([{ id, state: "delayed", attempt: 2, error: "no route" }]);
    await clock.advance(60_000);
    expect(at).toEqual([0, 10, 30]);
    const runs = (await records()).map((record) => record.id);
    expect(await world.items(one)).toMatchObject([{ id, state: "dead", attempt: 3, error: "no route", runs }]);
    expect((await records()).map(({ status, meta }) => [status, meta?.["attempt"]])).toEqual([
      ["failed", 1],
      ["failed", 2],
      ["failed", 3],
    ]);
    await clock.advance(18 * 60_000);
    expect(await world.items(one)).toHaveLength(1);
    await clock.advance(3 * 60_000);
    expect(await world.items(one)).toEqual([]);
  });

  test("a dead letter is retried from its first attempt, and redriven with a rate", async () => {
    const { queues } = one;
    await clock.until(queues.define("q", { attempts: 1 }));
    let isBroken = true;
    const done: [unknown, number, number][] = [];
    const began = clock.now();
    const handler = ({ data, attempt }: Item): void => {
      if (isBroken) throw new Error("broken");
      done.push([data, attempt, Math.round((clock.now() - began) / 1_000)]);
    };
    await clock.until(queues.work("q", handler, { concurrency: 10 }));
    for (let i = 0; i < 5; i++) await clock.until(queues.add("q", i));
    await clock.advance(1_000);
    const dead = await world.items(one, { state: "dead" });
    expect(dead).toHaveLength(5);
    isBroken = false;
    await clock.until(queues.retry("q", dead[0]?.id ?? "", { reason: "repaired" }));
    await clock.advance(1_000);
    expect(done).toEqual([[0, 1, 1]]);
    expect(await clock.until(queues.redrive("q", { rate: { max: 1, per: "10s" } }))).toBe(4);
    await clock.advance(AWAY);
    expect(done.map(([data, , at]) => [data, at])).toEqual([
      [0, 1],
      [1, 2],
      [2, 12],
      [3, 22],
      [4, 32],
    ]);
    expect(await world.items(one)).toEqual([]);
    const audit = await clock.until(collect(one.manager.audit({ name: "q" })));
    expect(audit.map(({ action, details }) => [action, details])).toEqual([
      ["queue-redrive", { count: 4 }],
      ["queue-retry", { item: dead[0]?.id }],
    ]);
    expect(await clock.until(rejection(queues.retry("q", "none")))).toMatchObject({ code: "UNKNOWN" });
  });

  test("a purge that is cut off is in the audit, without a number", async () => {
    const { queues, manager } = one;
    await clock.until(queues.add("q", 0));
    const where = (): boolean => {
      throw new Error("killed");
    };
    const why = { reason: "a test", where };
    await expect(clock.until(queues.purge("q", why))).rejects.toThrow("killed");
    const [cut] = await clock.until(collect(manager.audit({ name: "q" })));
    expect(cut).toMatchObject({ action: "queue-purge", reason: "a test" });
    expect(cut?.details).toBeUndefined();
    await clock.advance(1);
    await clock.until(queues.purge("q", { reason: "all" }));
    expect(await clock.until(collect(manager.audit({ name: "q" })))).toMatchObject([
      { reason: "all", details: { count: 1 } },
      { reason: "a test" },
    ]);
  });

  test("redrive and purge take only the dead letters that are meant", async () => {
    const { queues } = one;
    await clock.until(queues.define("q", { attempts: 1 }));
    const worker = await clock.until(
      queues.work("q", ({ data }) => {
        throw new Error(data === 0 ? "no address" : "no route");
      }),
    );
    for (let i = 0; i < 4; i++) await clock.until(queues.add("q", i));
    await clock.advance(1_000);
    await clock.until(worker.close());
    const dead = async (): Promise<unknown[]> => (await world.items(one, { state: "dead" })).map(({ data }) => data);
    const where = ({ error }: { readonly error?: string }): boolean => error === "no route";
    // The one that is not meant comes first: it must not count towards the limit.
    expect(await clock.until(queues.redrive("q", { where, limit: 2 }))).toBe(2);
    expect(await dead()).toEqual([0, 3]);
    const notMeant = { reason: "a test", state: "dead", where: () => false } as const;
    expect(await clock.until(queues.purge("q", notMeant))).toBe(0);
    expect(await clock.until(queues.purge("q", { ...notMeant, where }))).toBe(1);
    expect(await dead()).toEqual([0]);
  });

  test("a program that only reads queues does not raise the format of the store", async () => {
    const { queues, manager } = one;
    const raised = vi.spyOn(manager, "raiseFormat");
    expect(await clock.until(collect(queues.list()))).toEqual([]);
    expect(await clock.until(queues.counts("q"))).toMatchObject({ waiting: 0 });
    expect(await clock.until(queues.item("q", "none"))).toBeUndefined();
    expect(raised).not.toHaveBeenCalled();
    await clock.until(queues.add("q", 1));
    expect(raised).toHaveBeenCalled();
  });

  test("an attempt that takes longer than the timeout is aborted, and made again", async () => {
    const { queues } = one;
    await clock.until(queues.define("q", { attempts: 2, timeout: "5s", delay: "1s" }));
    const reasons: unknown[] = [];
    await clock.until(
      queues.work("q", ({ signal }) => {
        return new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            reasons.push(signal.reason.code);
            resolve(undefined);
          }),
        );
      }),
    );
    await clock.until(queues.add("q", "x"));
    await clock.advance(30_000);
    expect(reasons).toEqual(["TIMEOUT", "TIMEOUT"]);
    expect(await world.items(one)).toMatchObject([{ state: "dead", attempt: 2 }]);
    expect((await records()).map(({ status }) => status)).toEqual(["timeout", "timeout"]);
  });

  test("a cancel of the run makes a dead letter with its reason, and discard removes an active item", async () => {
    const { queues, manager } = one;
    const handler = ({ signal }: Item): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await clock.until(queues.work("q", handler, { concurrency: 2 }));
    const { id } = await clock.until(queues.add("q", "x"));
    await clock.advance(100);
    const [active] = await world.items(one);
    expect(active).toMatchObject({ state: "active" });
    await clock.until(manager.cancel(active?.runs[0] ?? "", { reason: "wrong address" }));
    expect(await world.items(one)).toMatchObject([
      { id, state: "dead", attempt: 1, error: expect.stringContaining("wrong address") },
    ]);
    expect(await clock.until(queues.discard("q", id, { reason: "done by hand" }))).toBe(true);
    const other = await clock.until(queues.add("q", "y"));
    await clock.advance(100);
    expect(await clock.until(queues.discard("q", other.id, { reason: "not needed" }))).toBe(true);
    expect(await world.items(one)).toEqual([]);
    expect(await clock.until(rejection(queues.discard("q", id, { reason: "again" })))).toMatchObject({
      code: "UNKNOWN",
    });
  });

  test("a cancel that gives the item back lets it wait again, and its attempt does not count", async () => {
    const { queues, manager } = one;
    const handler = ({ signal }: Item): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const { id } = await clock.until(queues.add("q", "x"));
    await clock.until(queues.work("q", handler));
    await clock.advance(100);
    const [active] = await world.items(one);
    await clock.until(manager.startMaintenance({ reason: "a move" }));
    await clock.until(manager.cancel(active?.runs[0] ?? "", { reason: "a move", giveBack: true }));
    expect(await world.items(one)).toMatchObject([{ id, state: "waiting", attempt: 1 }]);
    expect(await records()).toMatchObject([{ status: "cancelled", endedBy: { reason: "a move", giveBack: true } }]);
  });

  test("complete applies ops with the end of the run, or neither", async () => {
    const { queues, manager } = one;
    const mails = await manager.channel<string>("mails");
    await clock.until(mails.set("guard", "changed"));
    await clock.until(queues.define("q", { attempts: 2, delay: "1s" }));
    const errors: unknown[] = [];
    await clock.until(
      queues.work("q", async (item) => {
        const check = item.attempt === 1 ? [{ check: "guard", version: null }] : [];
        const ops = [...check, { put: item.id, value: `sent by attempt ${item.attempt}` }];
        await item.complete("sent", [{ channel: mails as never, ops }]).catch((error) => {
          errors.push(error.code);
          throw error;
        });
      }),
    );
    const { id } = await clock.until(queues.add("q", "x"));
    await clock.advance(500);
    expect(await clock.until(mails.get(id))).toBeUndefined();
    await clock.advance(5_000);
    expect(await clock.until(mails.get(id))).toBe("sent by attempt 2");
    if (!apart) expect(errors).toEqual(["ENDED"]);
    expect(await world.items(one)).toEqual([]);
  });

  test("a handler can fail an item for good, or for a while, and give it back", async () => {
    const { queues } = one;
    await clock.until(queues.define("q", { attempts: 3, delay: "10s" }));
    const began = clock.now();
    const seen: unknown[] = [];
    const handler = async (item: Item): Promise<void> => {
      seen.push([item.data, item.attempt, Math.round((clock.now() - began) / 1_000)]);
      if (item.data === "never") await item.fail("no such user", { retry: false });
      else if (item.data === "later" && item.attempt === 1) await item.fail("busy", { retry: "1m" });
      else if (item.data === "soon" && item.attempt === 1) await item.fail("busy");
      else if (item.data === "back" && seen.length < 5) await item.giveBack("not yet", { delay: "30s" });
    };
    await clock.until(queues.work("q", handler, { concurrency: 4 }));
    for (const data of ["never", "later", "soon", "back"]) await clock.until(queues.add("q", data));
    await clock.advance(AWAY);
    expect(seen).toEqual([
      ["never", 1, 0],
      ["later", 1, 0],
      ["soon", 1, 0],
      ["back", 1, 0],
      ["soon", 2, 10],
      ["back", 1, 30],
      ["later", 2, 60],
    ]);
    expect(await world.items(one)).toMatchObject([{ data: "never", state: "dead", error: "no such user" }]);
    const errors = (await records()).flatMap(({ status, error }) => (status === "failed" ? [error] : []));
    expect(errors).toEqual(["no such user", "busy", "busy"]);
  });

  test("a paused queue is not worked on, exactly from the pause on, until it is resumed or over", async () => {
    const { queues } = one;
    const seen: unknown[] = [];
    await clock.until(queues.work("q", ({ data }) => void seen.push(data), { concurrency: 5 }));
    await clock.until(queues.pause("q", { reason: "the mail server moves", author: "ana" }));
    await clock.until(queues.add("q", 1));
    await clock.advance(60_000);
    expect(seen).toEqual([]);
    expect(await clock.until(collect(queues.list()))).toMatchObject([
      { name: "q", paused: { reason: "the mail server moves", by: "ana" } },
    ]);
    expect(await clock.until(queues.resume("q"))).toBe(true);
    await clock.advance(10);
    expect(seen).toEqual([1]);
    await clock.until(queues.pause("q", { reason: "again", until: clock.now() + 30_000 }));
    await clock.until(queues.add("q", 2));
    await clock.advance(29_000);
    expect(seen).toEqual([1]);
    await clock.advance(3_000);
    expect(seen).toEqual([1, 2]);
    expect(await clock.until(queues.resume("q"))).toBe(false);
  });

  test("during a maintenance of its name, no item is taken, from the commit of the maintenance on", async () => {
    const { queues, manager } = one;
    const seen: unknown[] = [];
    await clock.until(queues.work("mail/out", ({ data }) => void seen.push(data), { concurrency: 5 }));
    await clock.until(queues.work("orders", ({ data }) => void seen.push(data)));
    await clock.until(manager.startMaintenance({ names: "mail/*", reason: "the mail server moves", author: "ana" }));
    for (const name of ["mail/out", "orders"]) await clock.until(queues.add(name, name));
    await clock.advance(60_000);
    expect(seen).toEqual(["orders"]);
    expect(await clock.until(collect(queues.list()))).toMatchObject([
      { name: "mail/out", paused: { reason: "the mail server moves", by: "ana", maintenance: "mail/*" } },
      { name: "orders" },
    ]);
    await clock.until(queues.pause("mail/out", { reason: "a mistake", author: "bo" }));
    const [text, also] = ["paused by bo: a mistake", "under maintenance of mail/* by ana: the mail server moves"];
    const [both] = await clock.until(collect(queues.list()));
    expect(pauseText(both?.paused as QueuePause)).toBe(`${text}; and ${also}`);
    expect((await clock.until(queues.why("mail/out"))).slice(0, 2)).toMatchObject([
      { code: "queue-paused", text: `it is ${text}` },
      { code: "queue-maintenance", text: `it is ${also}` },
    ]);
    await clock.until(queues.resume("mail/out"));
    await clock.until(manager.endMaintenance());
    await clock.advance(10);
    expect(seen).toEqual(["orders", "mail/out"]);
    await clock.until(manager.startMaintenance({ reason: "again", until: clock.now() + 30_000 }));
    await clock.until(queues.add("orders", 2));
    await clock.advance(29_000);
    expect(seen.length).toBe(2);
    await clock.advance(3_000);
    expect(seen).toEqual(["orders", "mail/out", 2]);
  });

  test("purge removes the items of one state", async () => {
    const { queues } = one;
    for (let i = 0; i < 250; i++) await clock.until(queues.add("q", i));
    await clock.until(queues.add("q", "later", { delay: "1h" }));
    expect(await clock.until(queues.counts("q"))).toMatchObject({ waiting: 250, delayed: 1, workers: 0 });
    expect(await clock.until(queues.counts("q", { most: 100 }))).toMatchObject({ waiting: 100, more: true });
    expect(await clock.until(queues.purge("q", { reason: "a test" }))).toBe(250);
    expect(await world.items(one)).toMatchObject([{ data: "later" }]);
  });

  test("invalid names, options and data are refused with the reason", async () => {
    const { queues } = one;
    const refused = async (call: () => Promise<unknown>) => (await clock.until(rejection(call()))) as Error;
    const calls = [
      () => queues.add("", 1),
      () => queues.add("q", 1, { priority: 101 }),
      () => queues.add("q", 1, { delay: 1, at: 2 }),
      () => queues.add("q", 1, { prio: 1 } as never),
      () => queues.define("q", { attempts: 0 }),
      () => queues.define("q", { backoff: "linear" as never }),
      () => queues.pause("q", {} as never),
      () => queues.work("q", "x" as never),
    ];
    for (const call of calls) expect(await refused(call)).toMatchObject({ name: "QueueError", code: "INVALID" });
    expect((await refused(() => queues.add("q", 1, { priorty: 1 } as never))).message).toContain(
      'Did you mean "priority"?',
    );
  });
});
