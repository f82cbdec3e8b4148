import { join } from "node:path";
import { openJobManager, type RunRecord } from "@ojm/core";
import { afterAll, describe, expect, it } from "vitest";
import { NO_GUIDE } from "../../packages/ojob/src/testing/guide.js";
import { faketime } from "./faketime.js";
import { clearFolders, type Past, runPast, type Scene } from "./real-cron.js";
import { blocksByHeading } from "./stage.js";

/*
 * The blocks of the guide that have a schedule, with the cron that is printed, with a wall clock that reaches
 * the tick.
 */

const blocks = blocksByHeading();
const textOf = (heading: string): string => blocks.get(heading)?.text ?? "";

const missing =
  blocks.size === 0
    ? NO_GUIDE
    : "missing" in faketime
      ? faketime.missing
      : process.env["OJM_REAL_CRON"] === "1"
        ? undefined
        : "it waits for the clock, for a minute: OJM_REAL_CRON=1 npm run unit -- test/guide/real-cron.test.ts";

const EXTRACTED = "2027-01-15T02:00:00.000Z";

/**
 * The phases of the complete example hand on their data through files. A phase that finds no data of the
 * previous one fails.
 */
const BATCH = `
  var fs = require("node:fs");
  function extractFromDatabase() { return ["row 1", "row 2"] }
  function saveToStaging(data, name) { fs.writeFileSync(name, JSON.stringify(data)) }
  function loadFromStaging(name) { return JSON.parse(fs.readFileSync(name, "utf8")) }
  function transformData(rows) { return rows.map(row => row.toUpperCase()) }
  function loadToTarget(rows) { print("loaded " + rows) }`;

const complete = (tick: string, began: string, ended: string, folder?: string): Scene => ({
  text: textOf("Complete Example: Batch Processing System"),
  functions: BATCH,
  tick,
  began,
  ended,
  ...(folder !== undefined && { folder }),
});

async function recordsIn(folder: string): Promise<RunRecord[]> {
  const channel = (name: string): object => ({ type: "db", args: { file: join(folder, "data", `${name}.db`) } });
  await using manager = await openJobManager({ chJobs: channel("jobs"), chLocks: channel("locks") });
  const records: RunRecord[] = [];
  for await (const record of manager.history()) records.push(record);
  expect(await manager.heldLocks()).toEqual([]);
  return records.sort((a, b) => a.startTime - b.startTime);
}

/** Expectations for each of them: nothing before its tick, no failure, and an orderly end. */
function expectWell(heading: string, { code, err, late }: Past): void {
  console.info(`${heading}: ${late} ms after its tick`);
  expect(late).toBeGreaterThanOrEqual(0);
  expect(err).not.toMatch(/ERROR|failed|skipped/);
  expect(code).toBe(143);
}

if (missing !== undefined) it.skip(`cron as it is printed: ${missing}`, () => {});
else describe("cron as it is printed", { concurrent: true, timeout: 900_000 }, declare);

function declare(): void {
  afterAll(clearFolders);

  it("Pattern 2: each hour, under its lock", async () => {
    const past = await runPast({
      text: textOf("Pattern 2: Scheduled Job with Protection"),
      functions: `
        function cleanupOldFiles() {
          var [run] = $ch("oJobManager-jobs").getAll();
          print("RUN " + JSON.stringify([run.name, run.status, run.trigger, run.timeout, new Date(run.tick).toISOString()]));
        }
        function cleanupExpiredSessions() { print("sessions") }
        function cleanupLogs() { print("logs") }`,
      tick: "2027-01-15T09:00:00.000Z",
      began: "Running cleanup",
      ended: "<< Hourly Cleanup: done",
    });
    expectWell("Pattern 2", past);
    expect(past.out).toContain(
      'RUN ["hourly-cleanup","running","cron",3000000,"2027-01-15T09:00:00.000Z"]\nsessions\nlogs\n',
    );
    expect(past.log).toEqual(["Running cleanup", "Cleanup completed"]);
  });

  it("Pattern 5: every five minutes", async () => {
    const text = textOf("Pattern 5: Job Status Monitoring");
    const ended = "<< Monitor Jobs: done";
    const past = await runPast({ text, tick: "2027-01-15T09:05:00.000Z", began: "Active Jobs", ended });
    expectWell("Pattern 5", past);
    expect(past.log).toEqual(["Active Jobs: 0"]);
  });

  it("Best practices 4: at four", async () => {
    const past = await runPast({
      text: `${textOf("4. Clean Up Old Records")}todo: [Cleanup]\n`,
      functions: 'function cleanupOldJobRecords() { log("cleaned") }',
      tick: "2027-01-15T04:00:00.000Z",
      began: "cleaned",
      ended: "<< Cleanup: done",
    });
    expectWell("Best practices 4", past);
    expect(past.log).toEqual(["cleaned"]);
  });

  it("Best practices 5: every quarter of an hour", async () => {
    const past = await runPast({
      text: `${textOf("5. Monitor Job Health")}todo: [Health Check]\n`,
      functions: 'function checkForStuckJobs() { log("stuck?") } function alertOnLongRunning() { log("long?") }',
      tick: "2027-01-15T09:45:00.000Z",
      began: "stuck?",
      ended: "<< Health Check: done",
    });
    expectWell("Best practices 5", past);
    expect(past.log).toEqual(["stuck?", "long?"]);
  });

  it("the complete example: the batch at two, its monitor ten minutes later, its cleanup at three of another week", async () => {
    const batch = await runPast(complete(EXTRACTED, "Starting daily batch processing", "<< Load Data: done"));
    expectWell("the batch", batch);
    expect(batch.out).toContain("loaded ROW 1,ROW 2");
    const { folder } = batch;
    const phases = (await recordsIn(folder)).map(({ name, status, trigger }) => `${name} ${status} ${trigger}`);
    const names = ["extract-data", "transform-data", "load-data"];
    expect(phases).toEqual(names.map((name) => `${name} completed launch`));
    const records = await recordsIn(folder);
    for (const [i, { startTime }] of records.entries()) {
      expect(startTime).toBeGreaterThanOrEqual(records[i - 1]?.endTime ?? Date.parse(EXTRACTED));
    }

    const monitor = await runPast(
      complete("2027-01-15T02:10:00.000Z", "Batch Status:", "<< Monitor Batch: done", folder),
    );
    expectWell("the monitor", monitor);
    // Newest first.
    const status = names.toReversed().map((name) => expect.stringMatching(`^  ${name}: COMPLETED \\(\\d+s\\)$`));
    expect(monitor.log).toEqual(["Batch Status:", ...status]);

    const cleanup = await runPast(complete("2027-01-23T03:00:00.000Z", "Removed", "<< Cleanup Old Jobs: done", folder));
    expectWell("the cleanup", cleanup);
    expect(cleanup.log).toContain("Removed 3 old job records");
    expect(await recordsIn(folder)).toEqual([]);
  });
}
