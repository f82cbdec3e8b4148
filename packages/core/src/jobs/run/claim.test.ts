import { beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../../channel/channel.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import { RunError } from "../errors.js";
import type { Run, RunRecord, StartClaim } from "../types.js";

interface Order {
  readonly state: string;
}

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const records = ({ manager }: ManagerOf): Promise<RunRecord[]> => collect(manager.history({ name: "ship" }));

describe.each(STORES)("records and locks $stores: claims of runs", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;
  let orders: Channel<Order>;

  beforeEach(async () => {
    [one, two] = [await world.manager({ apart }), await world.manager({ apart })];
    orders = await one.manager.channel<Order>("orders");
    await orders.set(1, { state: "new" });
  });

  /** Ships order 1, if it is new. */
  async function shipping({ manager }: ManagerOf): Promise<StartClaim> {
    const channel = await manager.channel<Order>("orders");
    let entry = await channel.entry(1);
    return {
      ops: ({ id }) => [
        {
          channel,
          ops: [
            { check: 1, version: entry?.version ?? null },
            { put: 1, value: { state: id } },
          ],
        },
      ],
      refused: async () => {
        entry = await channel.entry(1);
        if (entry?.value.state !== "new") throw new RunError("CANCELLED", "ship", `shipped by ${entry?.value.state}`);
      },
      undo: (_, version) => [
        {
          channel,
          ops: [
            { check: 1, version },
            { put: 1, value: { state: "new" } },
          ],
        },
      ],
    };
  }

  test("what a run claims is written when it starts, and by one of all that claim it", async () => {
    const claims = [await shipping(one), await shipping(two)];
    const runs = await Promise.allSettled(
      [one, two].map(({ manager }, i) =>
        clock.until(manager.run("ship", () => {}, { claim: claims[i] as StartClaim })),
      ),
    );
    expect(runs.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const [record] = await records(one);
    expect(await records(one)).toHaveLength(1);
    expect(await orders.get(1)).toEqual({ state: record?.id });
    expect(runs.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { message: `shipped by ${record?.id}` },
    });
    expect(await one.manager.heldLocks()).toEqual([]);
  });

  test("a run that is locked out writes nothing of its claim", async () => {
    const other = await clock.until(two.manager.start("ship"));
    const claim = await shipping(one);
    const refused = await clock.until(rejection(one.manager.run("ship", () => {}, { claim, wait: 0 })));
    expect(refused).toMatchObject({ code: "LOCKED" });
    expect(await orders.get(1)).toEqual({ state: "new" });
    await clock.until(other.end());
  });

  test("a claim that was written by somebody else, and is free again, is tried again", async () => {
    const claim = await shipping(one);
    await orders.set(1, { state: "new" });
    await clock.until(one.manager.run("ship", () => {}, { claim }));
    expect(await orders.get(1)).toEqual({ state: (await records(one))[0]?.id });
  });

  test("a claim that never reads anew what it checks is refused with advice, and leaves nothing", async () => {
    const claim: StartClaim = {
      ops: () => [{ channel: orders, ops: [{ check: 1, version: "1" }] }],
      refused: async () => {},
    };
    expect(await clock.until(rejection(one.manager.run("ship", () => {}, { claim })))).toMatchObject({
      code: "INVALID",
      message: expect.stringContaining('its "refused" must read again what its "ops" check'),
    });
    expect(await two.manager.heldLocks()).toEqual([]);
    expect(await records(two)).toEqual([]);
  });

  test("a run whose record is refused takes its claim back", async ({ skip }) => {
    if (!apart) skip("in one store, claim and record are one commit: nothing comes between them");
    const claim = await shipping(one);
    one.jobsWay.fault = ({ kind }) => (kind === "commit" ? { type: "refused" } : undefined);
    expect(await clock.until(rejection(one.manager.run("ship", () => {}, { claim })))).toMatchObject({
      code: "UNAVAILABLE",
    });
    expect(await orders.get(1)).toEqual({ state: "new" });
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("the record of a run for a tick tells its schedule, its tick and how late it was", async () => {
    const at = clock.now() - 1_500;
    const claim = { ...(await shipping(one)), tick: { schedule: "nightly", at } };
    const ship = (run: Run): void => expect(run.tick).toEqual({ schedule: "nightly", at });
    const { record } = await clock.until(one.manager.run("ship", ship, { claim, meta: { file: "a.csv" } }));
    const more = { schedule: "nightly", tick: at, delay: 1_500, meta: { file: "a.csv" } };
    expect(record).toMatchObject({ ...more, id: `ship@${record.startDate}` });
    expect(await records(two)).toEqual([record]);
  });
});

test("a run for a tick that is lost before its record is written has its tick in the record", async () => {
  const [one, two] = [await world.manager({ apart: true }), await world.manager({ apart: true })];
  one.jobsWay.once('"ship', { type: "request lost" });
  const at = clock.now();
  const claim: StartClaim = { tick: { schedule: "nightly", at }, ops: () => [], refused: async () => {} };
  await expect(clock.until(one.manager.start("ship", { claim }))).rejects.toMatchObject({ outcome: "unknown" });
  await clock.advance(60_000);
  const lost = { status: "lost", schedule: "nightly", tick: at, delay: 0 };
  expect(await records(two)).toEqual([expect.objectContaining(lost)]);
});

test.each<[unknown, RegExp]>([
  [{ claim: {} }, /claim of "ship" must have the functions "ops" and "refused"/],
  [{ claim: { ops: () => [], refused: () => {}, tick: 5 } }, /claim of "ship" must have/],
  [{ args: [] }, /args must be a map/],
  [{ args: { a: 1n } }, /args must be JSON: value.a is a bigint/],
  [{ args: { a: "x".repeat(5_000) } }, /args must be at most 4096 bytes as JSON, not 5008/],
  [{ meta: [] }, /meta must be a map/],
  [{ meta: { a: 1n } }, /meta must be JSON: value.a is a bigint/],
  [{ meta: { a: "x".repeat(5_000) } }, /meta must be at most 4096 bytes as JSON, not 5008/],
])("wrong options of a run are refused: %#", async (options, message) => {
  const { manager } = await world.manager();
  await expect(manager.run("ship", () => {}, options as object)).rejects.toThrow(message);
});

test("the record of a run keeps the meta that it was started with, also if the program changes its map", async () => {
  const { manager } = await world.manager();
  const meta: { file: string; none?: string } = { file: "a.csv" };
  const { record } = await clock.until(
    manager.run("ship", () => void Object.assign(meta, { file: "b.csv" }), { meta }),
  );
  expect(JSON.stringify(record.meta)).toBe('{"file":"a.csv"}');
});

test("a job function gets the args of its run, and what it changes in them does not change the record", async () => {
  const { manager } = await world.manager();
  const seen: unknown[] = [];
  const body = (run: Run): void => {
    seen.push(structuredClone(run.args));
    Object.assign(run.args["files"] as object, { 0: "b.csv" });
    seen.push(run.args["files"]);
  };
  const { record } = await clock.until(manager.run("ship", body, { args: { day: "2026-11-01", files: ["a.csv"] } }));
  expect(seen).toEqual([{ day: "2026-11-01", files: ["a.csv"] }, ["b.csv"]]);
  expect(record.args).toEqual({ day: "2026-11-01", files: ["a.csv"] });
  const { record: plain, result } = await clock.until(manager.run("ship", ({ args }) => args));
  expect([result, Object.hasOwn(plain, "args")]).toEqual([{}, false]);
});

test("a channel of a manager is opened once, and closed with it", async () => {
  const { manager } = await world.manager();
  const [a, b] = await Promise.all([manager.channel("orders"), manager.channel("orders")]);
  expect(a).toBe(b);
  await clock.until(manager.close());
  await expect(a.get(1)).rejects.toMatchObject({ code: "CLOSED" });
  await expect(manager.channel("orders")).rejects.toMatchObject({ code: "CLOSED" });
});

test("the record of a failed run has the stack of its error, and of its cause", async () => {
  const { manager } = await world.manager();
  const error = new Error("not sent", { cause: new TypeError("no such host") });
  await clock.until(rejection(manager.run("ship", () => Promise.reject(error))));
  const [record] = await collect(manager.history({ name: "ship" }));
  expect(record).toMatchObject({
    error: "not sent",
    stack: expect.stringMatching(/^Error: not sent\n.*TypeError: no such host\n/s),
  });
});

const refused = (): Promise<never> => Promise.reject(new Error("refused"));

test.each<[string, [number | null, string?] | undefined, (run: Run) => unknown, Partial<RunRecord>]>([
  ["completes", [0], () => {}, { status: "completed", exit: { code: 0 } }],
  ["fails", [3], refused, { status: "failed", exit: { code: 3 } }],
  ["is cancelled", [null, "SIGTERM"], (run) => run.cancel(), { status: "cancelled", exit: { signal: "SIGTERM" } }],
  ["has no command", undefined, () => {}, { status: "completed" }],
])("the record has the end of the command of a run that %s", async (_, exit, over, end) => {
  const body = (run: Run): unknown => {
    if (exit !== undefined) run.exited(...exit);
    return over(run);
  };
  for (const meta of [undefined, { a: 1 }]) {
    const { manager } = await world.manager();
    const options = meta === undefined ? {} : { meta };
    await clock.until(manager.run("ship", body, options).catch(() => {}));
    const [record] = await collect(manager.history({ name: "ship", limit: 1 }));
    expect(record).toMatchObject(end);
    expect(record?.exit).toEqual(end.exit);
  }
});

test("the end of a command is an exit code or the name of a signal", async () => {
  const { manager } = await world.manager();
  const run = await clock.until(manager.start("ship"));
  for (const code of [0.5, -1, "1"] as number[]) expect(() => run.exited(code)).toThrow(/takes an exit code/);
  expect(() => run.exited(null, 9 as never)).toThrow(expect.objectContaining({ code: "INVALID" }));
  expect((await clock.until(run.end())).exit).toBeUndefined();
});

test("the record of a run that was unlocked by force tells who did it, and why", async () => {
  const [one, two] = [await world.manager(), await world.manager()];
  const run = await clock.until(one.manager.start("ship"));
  const { run: closed } = await clock.until(two.manager.unlock("ship", { reason: "it hangs" }));
  const by = expect.objectContaining({ pid: process.pid });
  expect(closed).toMatchObject({ status: "cancelled", endedBy: { action: "unlock", by, reason: "it hangs" } });
  expect(closed?.endedBy?.by.instance).not.toBe(run.fence);
  expect(await collect(one.manager.history())).toEqual([closed]);
});
