import { type JobManager, openJobManager } from "../jobs/manager.js";
import { operatorPart } from "../jobs/operator-part.js";
import type { Run } from "../jobs/types.js";
import { settled, TestClock, type TestClockOptions } from "./test-clock.js";

/**
 * How long a body may work while the clock stands still, in ms of the machine. Its error explains the
 * mistake: a body that waits for the clock would wait forever.
 */
const PATIENCE = 30_000;

/** The rest between two rounds of background work, in ms: no other process sees the store of a test. */
const REST = 1_800_000;

type Body<T> = (run: Run) => T | Promise<T>;

/** The bodies that are running. */
class Bodies {
  readonly #open: Map<Promise<unknown>, string> = new Map();

  /** Wraps a body so that it is counted while it runs. */
  counted<T>(name: string, body: Body<T>): Body<T> {
    return (run) => {
      const result = body(run);
      if (!(result instanceof Promise)) return result;
      const ended = result.catch(() => {}).finally(() => this.#open.delete(ended));
      this.#open.set(ended, name);
      return result;
    };
  }

  /** Resolves once all work is at rest and no body is running. */
  async rest(): Promise<void> {
    await settled();
    while (this.#open.size > 0) {
      await ended(this.#open);
      await settled();
    }
  }
}

async function ended(open: ReadonlyMap<Promise<unknown>, string>): Promise<void> {
  const [name] = open.values();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `the body of "${name}" has not ended after ${PATIENCE / 1000} s, and the clock waits for it. If it waits for the clock, move it by clock.until(…), or open the manager with { waitForBodies: false }`;
    timer = setTimeout(() => reject(new Error(text)), PATIENCE);
  });
  await Promise.race([late, ...open.keys()]).finally(() => clearTimeout(timer));
}

/** A manager in memory, and its clock. */
export interface TestManager extends AsyncDisposable {
  readonly manager: JobManager;
  readonly clock: TestClock;
  /** Closes the manager. */
  close(): Promise<void>;
}

/**
 * Opens a manager with its own store in memory, with a clock that a test moves: for tests of jobs and of
 * schedules. It needs the package `@ojm/simple`.
 *
 * `clock.advance` waits for the body of each run before it moves on, so that a body may read files or call
 * servers while a night passes. With `waitForBodies: false` it does not wait: for bodies that wait for the
 * clock or for their signal, as in a test of a timeout.
 *
 * @example
 * await using test = await openTestManager({ start: "2026-03-29T00:30:00Z" });
 * await using scheduler = openScheduler(test.manager, { clock: test.clock });
 * await scheduler.add("report", { cron: "0 2 * * *", timeZone: "Europe/Lisbon" }, report);
 * await test.clock.advanceTo("2026-03-30T00:30:00Z");
 */
export async function openTestManager({
  waitForBodies = true,
  ...options
}: TestClockOptions & { readonly waitForBodies?: boolean } = {}): Promise<TestManager> {
  const clock = new TestClock(options);
  clock.rest = REST;
  // Time must not pass on the clock of the test while this is loaded.
  await operatorPart();
  const manager = await openJobManager({ clock });
  if (waitForBodies) {
    const bodies = new Bodies();
    const run = manager.run.bind(manager);
    const takeOver = manager.takeOver.bind(manager);
    manager.run = (name, body, more) => run(name, bodies.counted(name, body), more);
    manager.takeOver = (name, body, more) => takeOver(name, bodies.counted(name, body), more);
    clock.restBy(() => bodies.rest());
  }
  const close = (): Promise<void> => clock.until(manager.close());
  return { manager, clock, close, [Symbol.asyncDispose]: close };
}
