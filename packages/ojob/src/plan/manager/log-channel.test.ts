import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openChannel, openJobManager } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile, JobFileError, openManagerOf } from "../../index.js";
import { runText } from "../../testing/run-file.js";

/** A job file whose Init, in line 3, has these arguments too. */
const file = (more: string): string => `include: oJobManager.yaml
jobs:
  - { name: Init, to: oJobManager Init, args: { chJobs: { type: sqlite, args: { file: ./jobs.db } }, chLocks: { type: sqlite, args: { file: ./jobs.db } }, ${more} } }
  - { name: Job, from: oJobManager Job Start, to: oJobManager Job End, args: { name: a }, exec: log("kept") }
todo: [Init, Job]
`;

async function found(yaml: string): Promise<string[]> {
  try {
    const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"), {});
    return warnings.map(({ severity, at, message }) => `${severity} ${at?.line} ${message}`);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(({ severity, at, message }) => `${severity} ${at?.line} ${message}`);
  }
}

test("the logs of runs are in the store that chLogs names, beside the job file, within logBudget", async () => {
  const ran = await runText(
    file("chLogs: { type: sqlite, args: { file: ./logs.db } }, logBudget: { completed: true }"),
  );
  expect(ran.well).toBe(true);
  const store = (name: string) => ({ type: "sqlite", args: { file: join(ran.folder, name) } });
  expect(existsSync(join(ran.folder, "logs.db"))).toBe(true);
  const channels = { chJobs: store("jobs.db"), chLocks: store("jobs.db"), chLogs: store("logs.db") };
  await using manager = await openJobManager({ ...channels, heartbeatThread: false });
  for await (const { id } of manager.history({ limit: 1 })) {
    for await (const item of manager.log(id)) expect(item).toMatchObject({ text: "kept" });
  }
  expect.assertions(3);
});

test("the retention of Init is that of the store", async () => {
  const ran = await runText(file("retention: { olderThan: 1000, keep: 7 }"));
  const turns = await openChannel("oJobManager-turns", { type: "sqlite", args: { file: join(ran.folder, "jobs.db") } });
  expect(await turns.get("retention")).toEqual({ olderThan: 1_000, keep: 7 });
  await turns.close();
});

test("a store of logs that is gone is refused by commands that look, and not made; a run makes it without a line", async () => {
  const ran = await runText(
    file("chLogs: { type: sqlite, args: { file: ./logs.db } }").replace('log("kept")', "args.b = 1"),
  );
  const [name, logs] = [join(ran.folder, "jobs.yaml"), join(ran.folder, "logs.db")];
  const look = async () => (await openManagerOf(name, {}, async () => {}))?.close();
  await look();
  for (const part of ["", "-wal", "-shm"]) rmSync(`${logs}${part}`, { force: true });
  await expect(look()).rejects.toThrow(`error: there is no store at ${logs}, the path in ${name}`);
  expect(existsSync(logs)).toBe(false);
});

describe("arguments of Init about logs", () => {
  test.each([
    ["chLog: { type: simple }", /^error 3 oJobManager Init has no argument "chLog"\. Did you mean "chLogs"\?$/],
    ["chlogs: { type: simple }", /Did you mean "chLogs"\?$/],
    ["logBudgets: { head: 1 }", /Did you mean "logBudget"\?$/],
    ["chLogs: { type: sqllite }", /^error 3 no backend for the channel type "sqllite".*Did you mean "sqlite"/],
    ["chLogs: ./logs.db", /^error 3 "chLogs" must be a map with "type" and "args"/],
    [
      'chLogs: { type: sqlite, args: { file: "{{none}}.db" } }',
      /^error 3 nothing fills \{\{none\}\} in "file" of "chLogs"/,
    ],
    ["chLogs: { type: sqlite, args: { fil: a.db } }", /^error 3 channel type "sqlite" has no option "fil"/],
    ["logBudget: { heads: 1 }", /^error 3 "logBudget" of a job manager has no option "heads"\. Did you mean "head"\?/],
    ["logBudget: { ttl: 1 hour }", /^error 3 logBudget\.ttl must be a duration above 0, .* not the text "1 hour"/],
    ["logBudget: 5", /^error 3 logBudget must be a map/],
    ["retentions: { keep: 1 }", /Did you mean "retention"\?$/],
    ["retention: { kep: 1 }", /^error 3 "retention" of a job manager has no option "kep"\. Did you mean "keep"\?/],
    [
      "retention: { olderThan: 90 days }",
      /^error 3 retention\.olderThan must be a duration from 1 ms, .* not the text "90 days"/,
    ],
  ])("%s is refused at its place", async (more, message) => {
    expect(await found(file(more))).toEqual([expect.stringMatching(message)]);
  });

  test("outside of args, the message names their place", async () => {
    const yaml = file("x: 1").replace("to: oJobManager Init,", "to: oJobManager Init, chLogs: { type: simple },");
    expect(await found(yaml)).toEqual([
      expect.stringMatching(/^warning 3 unknown key "chLogs".*It belongs under "args"/),
    ]);
  });

  test("logs in a store do not mean that the locks are in it", async () => {
    const yaml = file("x: 1").replace(/chJobs: .*x: 1/, "chLogs: { type: sqlite, args: { file: ./logs.db } }");
    expect(await found(yaml)).toEqual([]);
  });
});
