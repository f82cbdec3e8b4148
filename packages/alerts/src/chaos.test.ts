import { expect, test } from "vitest";
import { seeded } from "../../core/src/testing/fake-clock.js";
import { collect } from "../../core/src/testing/settle.js";
import type { Call, Fault } from "../../core/src/testing/stores/faulty-backend.js";
import { type ManagerOf, World } from "../../core/src/testing/world.js";
import { openWith } from "./open.js";
import { FakeReceiver } from "./testing/receiver.js";
import type { AlertsOptions } from "./types.js";

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

const FAULTS: readonly Fault[] = [
  { type: "refused" },
  { type: "reply lost" },
  { type: "request lost" },
  { type: "slow reply", ms: 300 },
  { type: "late", ms: 2_000 },
];

const SEED = Number(process.env["OJM_SEED"] ?? 1);

/** The number of seeds, and how many of them `npm test` runs. */
const [SEEDS, FIRST] = [12, 1];

for (let i = 0; i < SEEDS; i++) {
  const name =
    "each run that ended in error is reported, under one id, while the store fails, processes die and the receiver too";
  test(`${name} (seed ${SEED + i})`, { tags: i < FIRST ? [] : ["full"] }, () => tellsEachFailure(SEED + i));
}

async function tellsEachFailure(seed: number): Promise<void> {
  const world = new World(seed);
  const { clock } = world;
  const chance = seeded(seed);
  const receiver = new FakeReceiver();
  let calm = false;
  receiver.answer = () => {
    const dice = calm ? 1 : chance();
    if (dice < 0.2) return { type: "later", why: "it answered 503" };
    if (dice < 0.25) return { type: "refused", why: "it answered 400" };
    const late = chance() * 5 * SECOND;
    return new Promise((resolve) => {
      clock.after(late, () => resolve({ type: "taken" }));
    });
  };
  const fault = (_: Call): Fault | undefined =>
    calm || chance() > 0.02 ? undefined : FAULTS[Math.floor(chance() * FAULTS.length)];

  const rules: AlertsOptions["rules"] = [{ on: ["failed", "lost", "timeout"], to: { webhook: "https://example.com" } }];
  const begin = async (): Promise<ManagerOf> => {
    const one = await world.manager({ supports: { shared: "network" } });
    await clock.until(openWith(one.manager, { rules, clock }, receiver.send));
    one.way.fault = fault;
    return one;
  };
  const processes = [await begin(), await begin(), await begin()];
  for (let i = 0; i < 60; i++) {
    const at = Math.floor(chance() * processes.length);
    const one = processes[at] as ManagerOf;
    const name = `job ${Math.floor(chance() * 4)}`;
    const fails = chance() < 0.6;
    const body = (): Promise<void> =>
      new Promise((resolve, reject) => {
        clock.after(chance() * 20 * SECOND, () => (fails ? reject(new Error("no")) : resolve()));
      });
    one.manager.run(name, body, { timeout: 15 * SECOND }).catch(() => {});
    await clock.advance(chance() * 10 * SECOND);
    if (chance() > 0.1) continue;
    one.way.fault = () => ({ type: "refused" });
    processes[at] = await begin();
  }
  calm = true;
  // The runs of dead processes are closed when another run wants their lock.
  const { manager } = await begin();
  await clock.advance(10 * MINUTE);
  for (let i = 0; i < 4; i++) await clock.until(manager.run(`job ${i}`, () => {}, { wait: HOUR }));
  await clock.advance(2 * HOUR);

  const failed = (await clock.until(collect(manager.failedRuns()))).filter(({ name }) => name.startsWith("job"));
  expect(failed.length).toBeGreaterThan(10);
  const told = new Set(receiver.taken.map(({ run }) => run));
  expect(failed.filter(({ id }) => !told.has(id)).map(({ id }) => id)).toEqual([]);
  expect(told.size).toBe(failed.length);
  expect(new Set(receiver.tried.map(({ id }) => id)).size).toBe(failed.length);
}
