/**
 * Faults of the original in its schedules.
 * @module-tag full
 */
import { folderWith } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { start } from "../../packages/cli/src/testing/ojm.js";
import { onSqlite } from "./support.js";

const NAMES = ["A", "B", "C", "D", "E"];
const PERIOD = 2_000;
const RUNS = 3;

it("D23: of several jobs due in the same second, each is run at every tick, and none twice for one", async () => {
  const jobs = NAMES.map(
    (name) => `  - name: ${name}
    typeArgs: { cron: "*/2 * * * * *" }
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: ${name} }
    exec: print("ran ${name}")`,
  );
  const dump = `  - name: Dump
    type: shutdown
    exec: for (const { name, tick } of $ch("oJobManager-jobs").getAll()) print("record " + name + " " + tick)`;
  const folder = folderWith({ "jobs.yaml": onSqlite([...jobs, dump].join("\n"), `Init, ${NAMES.join(", ")}, Dump`) });
  const ojm = start(folder, "run", "jobs.yaml");
  const runs = (name: string): number => ojm.out.split(`ran ${name}\n`).length - 1;
  await expect.poll(() => Math.min(...NAMES.map(runs))).toBeGreaterThanOrEqual(RUNS);
  ojm.process.kill("SIGTERM");
  const { code, out } = await ojm.ended;
  expect(code).toBe(143);

  const ticks = NAMES.map((name) =>
    [...out.matchAll(new RegExp(`record ${name} (\\d+)`, "g"))].map(([, tick]) => Number(tick)).sort((a, b) => a - b),
  );
  for (const each of ticks) expect(each).toEqual([...new Set(each)]);
  // A tick may come while they are being scheduled, or while they are being stopped.
  const first = Math.max(...ticks.map((each) => each[0] ?? Number.NaN));
  const last = Math.min(...ticks.map((each) => each.at(-1) ?? Number.NaN));
  const all = Array.from({ length: (last - first) / PERIOD + 1 }, (_, i) => first + i * PERIOD);
  expect(all.length).toBeGreaterThan(1);
  NAMES.forEach((name, i) => {
    // A process that stalled for longer than a period reports which ticks it left out.
    const known = new Set([...(ticks[i] ?? []), ...leftOut(out, name)]);
    expect(
      all.filter((tick) => !known.has(tick)),
      name,
    ).toEqual([]);
  });
});

/** The ticks of a job that the process reported as not run. */
function leftOut(output: string, name: string): number[] {
  const ticks: number[] = [];
  for (const [, at, since] of output.matchAll(
    new RegExp(`"${name}" has been due since (\\S+Z): .* from (\\S+Z) on, which are not run`, "g"),
  )) {
    for (let tick = Date.parse(since ?? ""); tick < Date.parse(at ?? ""); tick += PERIOD) ticks.push(tick);
  }
  for (const [, at] of output.matchAll(new RegExp(`"${name}" was skipped at its tick of (\\S+Z)`, "g"))) {
    ticks.push(Date.parse(at ?? ""));
  }
  return ticks;
}
