import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import type { RunOptions, RunRecord } from "./types.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each([
  { stores: "in one store", apart: false },
  { stores: "in two stores", apart: true },
])("records and locks $stores: starts whose answer was lost", ({ apart }) => {
  let one: ManagerOf;
  let bodies: number;

  beforeEach(async () => {
    one = await world.manager({ apart });
    await one.manager.run("warm up", () => {});
    bodies = 0;
  });

  const records = (): Promise<RunRecord[]> => collect(one.manager.history({ name: "a" }));

  /** The store takes the lock, or the record, and its answer is lost. */
  async function start(lost: "lock" | "record", options: RunOptions = {}): Promise<void> {
    const way = lost === "lock" ? one.way : one.jobsWay;
    way.once(lost === "lock" ? '["lock ' : "startTime", { type: "reply lost" });
    const error = await clock.until(rejection(one.manager.run("a", () => void bodies++, options)));
    expect(error).toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
    await clock.advance(TTL);
  }

  const lost = apart ? (["lock", "record"] as const) : (["lock"] as const);

  test.each(lost)("the record tells that the body did not begin, and not that the process died (%s)", async (what) => {
    await start(what);
    expect(bodies).toBe(0);
    expect(await records()).toMatchObject([{ status: "lost", error: expect.stringContaining("did not begin") }]);
    expect(await one.manager.locks()).toEqual([]);
  });

  const scheduled = (): RunOptions => ({
    claim: { tick: { schedule: "a", at: clock.now() }, ops: () => [], refused: async () => {} },
  });

  test.each(lost)("the run of a schedule is made up for, at once and as often as allowed (%s)", async (what) => {
    for (const attempts of [0, 1, 3]) {
      const options = scheduled();
      const retry = { attempts, delay: 3_600_000, onLost: false };
      await start(what, attempts === 0 ? options : { ...options, retry });
      const [pending] = await one.manager.retries("a");
      // The one that never began does not count.
      const allowed = { attempts: Math.max(attempts, 1) + 1 };
      expect(pending).toMatchObject({ attempt: 2, retry: allowed, schedule: "a", tick: options.claim?.tick?.at });
      const body = (): void => {
        bodies++;
        throw new Error("no");
      };
      const ended = rejection(one.manager.takeOver("a", body));
      await clock.advance(1_000);
      expect(bodies).toBe(1);
      expect(await one.manager.retries("a")).toMatchObject(attempts === 3 ? [{ attempt: 3 }] : []);
      if (attempts === 3) await clock.until(one.manager.cancel("a", { reason: "enough" }));
      await clock.until(ended);
      bodies = 0;
    }
  });

  test("a run whose caller was told is not tried again behind its back", async () => {
    await start("lock", { retry: { attempts: 2, delay: 1_000, onLost: false } });
    expect(await one.manager.retries("a")).toEqual([]);
  });

  test("a run that began is not taken for one that did not", async () => {
    const run = await one.manager.start("a");
    one.way.once('["lock ', { type: "reply lost" });
    one.jobsWay.once("startTime", { type: "reply lost" });
    await clock.until(run.end("done"));
    expect(await records()).toMatchObject([{ status: "completed" }]);
  });
});
