/**
 * The complete example of the guide, unchanged, through a week and a night.
 * @module-tag full
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openJobManager, type RunRecord } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { prepareType } from "../packages/cli/src/backends.js";
import { guideBlocks, NO_GUIDE } from "../packages/ojob/src/testing/guide.js";
import { Simulation } from "../packages/ojob/src/testing/simulate.js";

const [block] = guideBlocks().filter(({ text }) => text.includes("Batch Coordinator"));

/**
 * The functions that the example names but does not define. A phase that finds no data of the previous one
 * fails.
 */
const functions = (folder: string): string => `
const staging = (name) => require("node:path").join(${JSON.stringify(folder)}, name);
const read = (name) => JSON.parse(require("node:fs").readFileSync(staging(name), "utf8"));
const write = (name, data) => require("node:fs").writeFileSync(staging(name), JSON.stringify(data));
const night = () => new Date(nowUTC()).toISOString().slice(0, 10);
const ofTonight = (data) => {
  if (data.night !== night()) throw new Error("the data is of " + data.night);
  return data;
};
function extractFromDatabase() { return { night: night() } }
function saveToStaging(data, name) { write(name, data) }
function loadFromStaging(name) { return ofTonight(read(name)) }
function transformData(data) { return data }
function loadToTarget(data) { print("loaded " + data.night) }
`;

async function recordsOf(folder: string): Promise<RunRecord[]> {
  const channel = (name: string): object => ({ type: "db", args: { file: join(folder, "data", `${name}.db`) } });
  await using manager = await openJobManager({ chJobs: channel("jobs"), chLocks: channel("locks") });
  const records: RunRecord[] = [];
  for await (const record of manager.history()) records.push(record);
  return records.reverse();
}

const count = (text: string, part: string): number => text.split(part).length - 1;

it.skipIf(block === undefined)(
  `the complete example of the guide runs for a week (${block === undefined ? NO_GUIDE : "simulated"})`,
  async () => {
    const folder = folderWith({});
    writeFileSync(join(folder, "functions.js"), functions(folder));
    // Beside the test, not in the current folder of all tests.
    const yaml = (block?.text ?? "").replaceAll("./", `${folder}/`);
    const options = { loads: [join(folder, "functions.js")], prepare: prepareType };
    const simulation = new Simulation("2026-05-04T00:00:00Z", yaml, options);
    await simulation.until("2026-05-11T04:05:00Z");
    const { out, err } = await simulation.stop();

    const nights = Array.from({ length: 8 }, (_, i) => `2026-05-${String(4 + i).padStart(2, "0")}`);
    expect(err).not.toMatch(/ERROR|failed/);
    expect([count(err, ">> Batch Coordinator"), count(err, ">> Cleanup Old Jobs")]).toEqual([8, 8]);
    // Each ten minutes of a week and four hours, but not the one in which it started. Ticks that a stalling
    // machine missed are reported.
    if (!out.includes("WARN")) expect(count(err, ">> Monitor Batch")).toBe(7 * 144 + 24);
    expect([...out.matchAll(/loaded (\S+)/g)].map(([, night]) => night)).toEqual(nights);
    expect([count(out, "Removed 3 old job records"), count(out, "Removed 0 old job records")]).toEqual([1, 7]);

    // One log file per day.
    const days = readdirSync(join(folder, "logs")).map((file) => /\d{4}-\d\d-\d\d/.exec(file)?.[0]);
    expect(days.sort()).toEqual(nights);

    const records = await recordsOf(folder);
    const phases = ["extract-data", "transform-data", "load-data"];
    const runs = records.map(({ name, status, startDate }) => `${startDate.slice(0, 10)} ${name} ${status}`);
    // The files of the first night were removed after a week.
    expect(runs).toEqual(nights.slice(1).flatMap((night) => phases.map((phase) => `${night} ${phase} completed`)));
    for (const [i, record] of records.entries()) {
      if (i % 3 > 0) expect(record.startTime).toBeGreaterThanOrEqual(records[i - 1]?.endTime ?? Number.NaN);
    }
  },
  600_000,
);
