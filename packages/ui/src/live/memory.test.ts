import { ChannelError } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { backend as simple } from "@ojm/simple";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FaultyBackend } from "../../../core/src/testing/stores/faulty-backend.js";
import type { Jobs, Locks, Now } from "../contract/types.js";
import { openTestUi, type TestUi } from "../testing/test-ui.js";

type Watch = FaultyBackend["watch"];
type Scan = FaultyBackend["scan"];

/** A store that counts its scans, and whose watches can break. */
class WatchedStore extends FaultyBackend {
  /** The scans that read values: the checks whether the store answers read none. */
  scans = 0;
  readonly #sinks: Set<Parameters<Watch>[1]> = new Set();
  #isBroken = false;

  /** The watches end, and none can be opened, until `mend`. */
  break(): void {
    this.#isBroken = true;
    for (const sink of this.#sinks) sink.fail(this.#error());
    this.#sinks.clear();
  }

  mend(): void {
    this.#isBroken = false;
  }

  override async watch(...[range, sink]: Parameters<Watch>): ReturnType<Watch> {
    if (this.#isBroken) throw this.#error();
    const heard: typeof sink = {
      change: (change) => void (this.#sinks.has(heard) && sink.change(change)),
      gap: () => sink.gap(),
      fail: (error) => sink.fail(error),
    };
    this.#sinks.add(heard);
    return super.watch(range, heard);
  }

  override scan(...[request, options]: Parameters<Scan>): ReturnType<Scan> {
    if (request.values) this.scans++;
    return super.scan(request, options);
  }

  #error(): ChannelError {
    return new ChannelError("UNAVAILABLE", "the connection of the watches broke", { retryable: true });
  }
}

let store: WatchedStore;
let it: TestUi;

beforeEach(async () => {
  const clock = { ...systemClock };
  store = new WatchedStore(await simple.open({}, { clock }), clock, {});
  it = await openTestUi({ channels: { chJobs: { backend: store }, chLocks: { backend: store }, clock } });
});

afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

const LANES = "timeline?from=1790000000000&to=1800000000000&px=500";

describe("pages that are open at once", () => {
  const openPages = async (path: string, n: number): Promise<number> => {
    const before = store.scans;
    const answers = await Promise.all(Array.from({ length: n }, () => it.send("GET", `/api/v1/${path}`)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    return store.scans - before;
  };

  beforeEach(async () => {
    for (let i = 0; i < 5; i++) await it.manager.run(`job ${i}`, () => {});
    await it.scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    // From here on, the hub follows the store.
    await openPages("now", 1);
  });

  test.each(["jobs", "jobs/nightly", LANES])("ten of %s scan the store no more often than one", async (path) => {
    const change = async (): Promise<unknown> => it.manager.run("job 0", () => {});
    await change();
    const one = await openPages(path, 1);
    expect(one).toBeGreaterThan(0);
    await expect
      .poll(async () => {
        await change();
        return openPages(path, 10);
      })
      .toBeLessThanOrEqual(one);
    // Without a change, they are answered from memory.
    await expect.poll(() => openPages(path, 10)).toBe(0);
  });

  test("the page Locks is answered from memory, and is that of the store", async () => {
    await using run = await it.manager.start("import");
    await it.manager.hold("held", { reason: "a look" });
    const held = (await it.manager.heldLocks()).map(({ name, fence, since, waiting }) => ({
      name,
      fence,
      since,
      waiting,
    }));
    const locks = async (): Promise<Locks> => it.get<Locks>("/api/v1/locks");
    await expect.poll(async () => (await locks()).locks).toMatchObject(held);
    await expect.poll(() => openPages("locks", 10)).toBe(0);
    await run.end();
    await expect.poll(async () => (await locks()).locks.map(({ name }) => name)).toEqual(["held"]);
  });

  test("a run that was read is read again once its job changed", async () => {
    const statusOf = async (): Promise<unknown> => (await it.get<Jobs>("/api/v1/jobs?q=job%201")).jobs[0]?.last?.status;
    expect(await statusOf()).toBe("completed");
    await it.manager.run("job 1", () => Promise.reject(new Error("no route"))).catch(() => {});
    await expect.poll(statusOf).toBe("failed");
  });
});

test("while its watches are broken, no page shows old data as new; then it shows what changed meanwhile", async () => {
  const run = await it.manager.start("import");
  const paths = ["now", "jobs", "jobs/import", "locks", LANES];
  const statuses = (): Promise<number[]> =>
    Promise.all(paths.map(async (path) => (await it.send("GET", `/api/v1/${path}`)).status));
  expect(await statuses()).toEqual(paths.map(() => 200));
  store.break();
  await run.end();
  await it.manager.hold("held", { reason: "a look" });
  // The answer to "now" is shared for a moment.
  await expect.poll(statuses).toEqual(paths.map(() => 503));
  store.mend();
  const locks = await it.get<Locks>("/api/v1/locks");
  expect(locks.locks.map(({ name }) => name)).toEqual(["held"]);
  expect((await it.get<Now>("/api/v1/now")).running).toEqual([]);
});
