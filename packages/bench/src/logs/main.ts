import { setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type JobManager, openJobManager, type Run } from "@ojm/core";
import { stores } from "../stores.js";

/*
 * The cost of the log of a run for its job: the time of a line, a job with 10,000 lines against the same job
 * without lines, and the end of a short run.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string" },
    lines: { type: "string", default: "10000" },
    rounds: { type: "string", default: "9" },
    /** The work of the job for each line, in µs. */
    work: { type: "string", default: "100" },
  },
});
const LINES = Number(values.lines);
const ROUNDS = Number(values.rounds);

/** A job returns to its event loop now and then. */
const LINES_OF_A_TURN = 50;

/** The loop count of the work for a line: fixed, so that each job does the same work. */
let rounds = 1_000;
let result = 0;

function workOfALine(): void {
  for (let i = 0; i < rounds; i++) result = (Math.imul(result, 31) + i) | 0;
}

/** Sets the work of a line to `us` µs on this machine. */
function calibrate(us: number): void {
  for (let i = 0; i < 2_000; i++) workOfALine();
  const begin = performance.now();
  for (let i = 0; i < 2_000; i++) workOfALine();
  rounds = Math.round((rounds * us) / (((performance.now() - begin) * 1_000) / 2_000));
}

/** Does the work of all lines, and writes the lines if `writes` is true. */
async function job(run: Run, writes: boolean): Promise<void> {
  for (let n = 0; n < LINES; n++) {
    workOfALine();
    if (writes) run.log.info("copied a row of the table from here to there", { row: n });
    if (n % LINES_OF_A_TURN === 0) await turn();
  }
}

/** The processor time of this process, in ms. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

async function wallOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

/** The median over all rounds of the cost of the second as a multiple of the first, measured in turns. */
async function ratio(first: () => Promise<number>, second: () => Promise<number>): Promise<number> {
  const ratios: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const [a, b] = i % 2 === 0 ? [await first(), await second()] : [await second(), await first()];
    ratios.push(i % 2 === 0 ? b / a : a / b);
  }
  return median(ratios);
}

/** µs of the body for a line, without the work that a job does. */
async function lineTime(manager: JobManager, fields?: Record<string, unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await manager.run("line", async (run) => {
      let spent = 0;
      for (let n = 0; n < LINES; n += LINES_OF_A_TURN) {
        const begin = performance.now();
        for (let k = 0; k < LINES_OF_A_TURN; k++) run.log.info("copied a row of the table from here to there", fields);
        spent += performance.now() - begin;
        await turn();
      }
      times.push((spent * 1_000) / LINES);
    });
  }
  return median(times);
}

/** ms of a run without a line, and with one. */
async function endTimes(manager: JobManager): Promise<readonly [number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < 30 * ROUNDS; i++) {
    times[0].push(await wallOf(() => manager.run("end", () => {})));
    times[1].push(await wallOf(() => manager.run("end", (run) => run.log.info("a line"))));
  }
  return [median(times[0]), median(times[1])];
}

calibrate(Number(values.work));
console.log(`${LINES} lines, each after ${values.work} µs of work; medians of ${ROUNDS} rounds.\n`);
console.log("store    a line, with fields   job: processor   time   a run without a line, with one");
for (const store of stores) {
  if (values.only !== undefined && values.only !== store.name) continue;
  const missing = store.missing();
  if (missing !== undefined) {
    console.log(`${store.name.padEnd(8)} not measured: ${missing}`);
    continue;
  }
  const open = await store.open();
  const manager = await openJobManager(open.options);
  const run = (writes: boolean) => (): Promise<unknown> => manager.run("job", (it) => job(it, writes));
  await run(true)();
  const [plain, fields] = [await lineTime(manager), await lineTime(manager, { row: 4711, table: "orders" })];
  const cpu = await ratio(
    () => cpuOf(run(false)),
    () => cpuOf(run(true)),
  );
  const wall = await ratio(
    () => wallOf(run(false)),
    () => wallOf(run(true)),
  );
  const [without, withOne] = await endTimes(manager);
  await manager.close();
  await open.close();
  const us = (time: number): string => `${time.toFixed(2)} µs`;
  const ms = (time: number): string => `${time.toFixed(2)} ms`;
  console.log(
    `${store.name.padEnd(8)} ${us(plain).padStart(7)} ${us(fields).padStart(12)} ${cpu.toFixed(3).padStart(16)}` +
      `${wall.toFixed(3).padStart(7)} ${ms(without).padStart(22)} ${ms(withOne).padStart(9)}`,
  );
}
