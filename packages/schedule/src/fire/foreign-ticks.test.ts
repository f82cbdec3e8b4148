import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { JobManager } from "@ojm/core";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { collect, rejection } from "../../../core/src/testing/settle.js";
import { type ManagerOf, STORES } from "../../../core/src/testing/world.js";
import type { ScheduleTick } from "../control/ticks.js";
import { openScheduler } from "../scheduler.js";
import { World } from "../testing/world.js";
import { ForeignTicks } from "./foreign-ticks.js";

const MINUTE = 60_000;

describe.each(STORES)("ticks of another scheduler, records and locks $stores", ({ apart }) => {
  let world: World;
  let replicas: (ManagerOf & { readonly ticks: ForeignTicks })[];
  let first: number;

  beforeEach(async () => {
    world = new World();
    const managers = [await world.manager({ apart }), await world.manager({ apart }), await world.manager({ apart })];
    replicas = managers.map((one) => ({ ...one, ticks: new ForeignTicks(one.manager, world.clock) }));
    first = world.clock.now();
    onTestFinished(() => world.close());
  });

  const replica = (i: number): ManagerOf & { readonly ticks: ForeignTicks } => replicas[i] as never;

  /** A replica reaches a tick. Resolves to whether it runs it; `end` ends its run. */
  async function reach(i: number, at: number): Promise<{ readonly runs: boolean; end(): Promise<unknown> }> {
    let end = (): void => {};
    const isDone = new Promise<void>((resolve) => {
      end = resolve;
    });
    const job = { name: "a", trigger: "elsewhere", body: () => isDone };
    const begun = await world.clock.until(replica(i).ticks.begin(job, at));
    begun?.ended.catch(() => {});
    return {
      runs: begun !== undefined,
      end: () => {
        end();
        return world.clock.until(begun?.ended ?? Promise.resolve());
      },
    };
  }

  async function outcomes(manager: JobManager = replica(2).manager): Promise<ScheduleTick[]> {
    const scheduler = openScheduler(manager, { clock: world.clock });
    return (await world.clock.until(collect(scheduler.ticks("a")))).reverse();
  }

  const history = (): Promise<string[]> =>
    world.clock.until(
      collect(replica(2).manager.history({ name: "a" })).then((all) => all.map(({ status }) => status)),
    );

  it("one of several replicas that reach a tick at once runs it", async () => {
    const reached = await Promise.all([reach(0, first), reach(1, first), reach(2, first)]);
    expect(reached.filter(({ runs }) => runs)).toHaveLength(1);
    for (const { end } of reached) await end();
    expect(await outcomes()).toMatchObject([{ at: first, outcome: "run", run: expect.stringMatching(/^a@/) }]);
    expect(await history()).toEqual(["completed"]);
  });

  it("a replica that lags behind does not run a tick that another one has run and ended", async () => {
    await (await reach(0, first)).end();
    await world.clock.advance(10 * MINUTE);
    await (await reach(1, first + MINUTE)).end();
    expect((await reach(2, first)).runs).toBe(false);
    expect(await outcomes()).toMatchObject([{ outcome: "run" }, { outcome: "run" }]);
  });

  it("a replica whose start reaches the store after the run of another one has ended does not run the tick", async () => {
    const { way, ticks } = replica(1);
    way.once('["lock "a', { type: "slow", ms: 900 });
    const sent = new Promise<void>((resolve) => {
      way.sent = (commit) => {
        if (JSON.stringify(commit).includes('lock \\"a')) resolve();
      };
    });
    const late = ticks.begin({ name: "a", trigger: "elsewhere", body: () => {} }, first);
    await world.clock.until(sent);
    const one = await reach(0, first);
    await one.end();
    expect(one.runs).toBe(true);
    expect(await world.clock.until(late)).toBeUndefined();
    expect(await history()).toEqual(["completed"]);
  });

  it("a tick that comes due while the job runs is skipped, with the active run as the reason", async () => {
    const one = await reach(0, first);
    expect((await reach(1, first + MINUTE)).runs).toBe(false);
    await one.end();
    // Its outcome is final: a later replica does not run it, although the lock is free again.
    expect((await reach(2, first + MINUTE)).runs).toBe(false);
    const [run, skipped] = await outcomes();
    expect(skipped).toMatchObject({ outcome: "skipped", reason: "overlap", evidence: { run: run?.run } });
  });

  it("the tick of a run whose process dies is not run again, and the next one is", async () => {
    const one = await reach(0, first);
    expect(one.runs).toBe(true);
    replica(0).way.heard = () => new Promise(() => {});
    replica(0).way.fault = () => ({ type: "request lost" });
    if (apart) replica(0).jobsWay.fault = () => ({ type: "request lost" });
    await world.clock.advance(MINUTE);
    expect((await reach(1, first)).runs).toBe(false);
    const next = await reach(1, first + MINUTE);
    expect(next.runs).toBe(true);
    await next.end();
    expect(await history()).toEqual(["completed", "lost"]);
  });

  it("a start whose answer was lost runs in no process, and leaves no attempt that none would make", async () => {
    replica(0).way.once('["lock "a', { type: "reply lost" });
    expect(await rejection(reach(0, first))).toMatchObject({ code: "TIMEOUT" });
    await world.clock.advance(MINUTE);
    expect((await reach(1, first)).runs).toBe(false);
    expect(await outcomes()).toMatchObject([{ at: first, outcome: "run" }]);
    expect(await world.clock.until(replica(1).manager.retries())).toEqual([]);
    const next = await reach(1, first + MINUTE);
    expect(next.runs).toBe(true);
    await next.end();
  });

  it("a tick whose record the store refused was not run", async () => {
    if (!apart) return;
    replica(0).jobsWay.fault = () => ({ type: "full" });
    expect(await rejection(reach(0, first))).toMatchObject({ code: "FULL" });
    expect(await outcomes()).toMatchObject([{ at: first, outcome: "refused", reason: "not-recorded" }]);
  });

  it("an outcome that is written later does not replace the run of another replica", async () => {
    const missed = { outcome: "missed", reason: "policy" } as const;
    await (await reach(0, first)).end();
    expect(await world.clock.until(replica(1).ticks.settle("a", first, missed))).toBe(false);
    expect(await world.clock.until(replica(1).ticks.settle("a", first + MINUTE, missed))).toBe(true);
    expect(await outcomes()).toMatchObject([{ outcome: "run" }, { outcome: "missed" }]);
    expect((await reach(2, first + MINUTE)).runs).toBe(false);
  });

  it("why names the last tick, and does not report that the store has no schedule", async () => {
    await (await reach(0, first)).end();
    const scheduler = openScheduler(replica(1).manager, { clock: world.clock });
    const reasons = await world.clock.until(scheduler.why("a"));
    expect(reasons.map(({ code }) => code)).toEqual(["ready", "last", "tick"]);
  });

  it("each outcome is published once, by the replica that wrote it", async () => {
    const seen: unknown[] = [];
    const listener = (tick: unknown): void => void seen.push(tick);
    subscribe("ojm:tick", listener);
    onTestFinished(() => void unsubscribe("ojm:tick", listener));
    const one = await reach(0, first);
    await reach(1, first);
    await reach(1, first + MINUTE);
    await reach(2, first + MINUTE);
    await one.end();
    expect(seen).toMatchObject([
      { schedule: "a", at: first, outcome: "run" },
      { schedule: "a", at: first + MINUTE, outcome: "skipped", reason: "overlap" },
    ]);
  });

  it("a close signals its runs, and other replicas run the next ticks", async () => {
    const one = await reach(0, first);
    const closed = replica(0).ticks.close({ grace: MINUTE });
    await one.end().catch(() => {});
    await world.clock.until(closed);
    expect((await reach(1, first + MINUTE)).runs).toBe(true);
  });
});
