import { expect, test, vi } from "vitest";
import { World } from "../testing/world.js";
import { STARTS_AT_ONCE } from "./start.js";

const COUNT = 3 * STARTS_AT_ONCE;

/** @see issue 37: ten thousand ticks at the same moment took 1.2 GB, as all of them were started at once. */
test("ticks that are due at the same moment are started a limited number at once, and all of them run", async () => {
  const world = new World();
  const one = await world.scheduler("one");
  let starting = 0;
  let most = 0;
  const run = one.manager.run.bind(one.manager);
  vi.spyOn(one.manager, "run").mockImplementation((name, body, options) => {
    most = Math.max(most, ++starting);
    return run(
      name,
      (it) => {
        starting--;
        return body(it);
      },
      options,
    );
  });
  let ran = 0;
  const body = (): void => {
    ran++;
  };
  const names = [...new Array(COUNT).keys()].map(String);
  await world.clock.until(Promise.all(names.map((name) => one.scheduler.add(name, { cron: "0 * * * * *" }, body))));
  await world.clock.advance(120_000);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(STARTS_AT_ONCE);
  expect(ran).toBeGreaterThanOrEqual(COUNT);
});
