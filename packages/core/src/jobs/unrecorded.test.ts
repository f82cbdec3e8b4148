import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import type { RunOptions } from "./types.js";

const TTL = 15_000;

/** The process warnings about ends that are not recorded, from now on. */
function warnings(): () => Promise<string[]> {
  const messages: string[] = [];
  const note = (warning: Error & { code?: string }): void => {
    if (warning.code === "OJM_UNRECORDED") messages.push(warning.message);
  };
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  return async () => {
    // Node emits warnings in the next tick.
    await new Promise((resolve) => setImmediate(resolve));
    return messages;
  };
}

function lose({ way, jobsWay }: ManagerOf): void {
  way.fault = () => ({ type: "refused" });
  jobsWay.fault = way.fault;
}

describe.each(STORES)("an end that is not recorded, records and locks $stores", ({ apart }) => {
  let clock: FakeClock;
  let one: ManagerOf;
  let two: ManagerOf;
  let given: () => Promise<string[]>;

  beforeEach(async () => {
    const world = new World();
    clock = world.clock;
    one = await world.manager({ apart });
    two = await world.manager({ apart });
    given = warnings();
  });

  /** Makes a run whose body ends in an outage, which is longer than a ttl. Resolves to the id of the run. */
  async function endsInOutage(body: () => unknown, options: RunOptions = {}): Promise<string> {
    let id = "";
    const work = one.manager.run(
      "a",
      (run) => {
        id = run.id;
        lose(one);
        return body();
      },
      options,
    );
    work.catch(() => {});
    await clock.advance(2 * TTL);
    return id;
  }

  const retry = { attempts: 3, delay: 1_000, onLost: true } as const;

  test("a warning names the run, and says that another attempt may follow, which another process then makes", async () => {
    const id = await endsInOutage(() => "done", { retry });
    expect(await given()).toEqual([
      `the run "${id}" ended (completed), but that is not recorded: the store is away. Unless its last write arrived, it will count as lost. Another attempt may follow: make the job idempotent, or fence its writes`,
    ]);
    await clock.advance(TTL);
    await clock.until(two.manager.takeOver("a", () => "again"));
    const records = await collect(two.manager.history({ name: "a" }));
    expect(records.map(({ status, attempt }) => [status, attempt])).toEqual([
      ["completed", 2],
      ["lost", 1],
    ]);
  });

  test("a warning says to check the work if no attempt follows", async () => {
    const id = await endsInOutage(() => "done");
    expect(await given()).toEqual([
      `the run "${id}" ended (completed), but that is not recorded: the store is away. Unless its last write arrived, it will count as lost. Check its work before you start it again`,
    ]);
  });

  test("a warning of an item of a queue says that another attempt may follow: another worker makes it", async () => {
    await endsInOutage(() => "done", { trigger: "queue" });
    expect(await given()).toEqual([
      expect.stringMatching(/ Another attempt may follow: make the job idempotent, or fence its writes$/),
    ]);
  });

  test("a warning is given for a body that failed too: its caller gets the error of the body alone", async () => {
    const id = await endsInOutage(() => Promise.reject(new Error("no orders")), { retry });
    expect(await given()).toEqual([
      expect.stringContaining(`the run "${id}" ended (failed), but that is not recorded`),
    ]);
  });

  test("a warning is given if another process closed the run before its end arrived", async () => {
    const run = await one.manager.start("a");
    await two.manager.unlock("a", { reason: "it hangs" });
    expect(await rejection(run.end())).toMatchObject({ code: "LOST" });
    expect(await given()).toEqual([
      `the run "${run.id}" ended (completed), but that is not recorded: the run of "a" was closed by another process: its lock was lost or taken. Check its work before you start it again`,
    ]);
  });

  test("no warning is given if the store is back within the ttl, or if the lock was lost before the body ended", async () => {
    const work = one.manager.run("a", async () => lose(one));
    await clock.advance(TTL / 2);
    one.way.fault = () => undefined;
    one.jobsWay.fault = one.way.fault;
    expect((await clock.until(work)).record.status).toBe("completed");
    const lost = one.manager.run("b", (run) => {
      lose(one);
      return new Promise((resolve) => run.signal.addEventListener("abort", resolve));
    });
    expect(await clock.until(rejection(lost), 2 * TTL)).toMatchObject({ code: "LOST" });
    await clock.advance(2 * TTL);
    expect(await given()).toEqual([]);
  });
});
