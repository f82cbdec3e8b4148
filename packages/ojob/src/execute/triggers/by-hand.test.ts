import { join } from "node:path";
import { openJobManager } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import type { RunControl } from "../../index.js";
import { runText } from "../../testing/run-file.js";

/** Runs a schedule by hand, with args, and returns the output. */
async function byHand(job: string, args: Record<string, string | number>): Promise<string> {
  const store = { type: "sqlite", args: { file: join(folderWith({}), "ojm.db") } };
  const channels = { chJobs: store, chLocks: store };
  const yaml = `include: [oJobManager.yaml]
ojob: { daemon: true }
jobs:
  - { name: Init, to: oJobManager Init, args: ${JSON.stringify(channels)} }
  - name: Report
    typeArgs: { cron: "0 0 1 1 *" }
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
${job}
todo: [Init, { name: Report, args: { place: todo, size: 1 } }]
`;
  let control: RunControl | undefined;
  const running = runText(yaml, { onStart: (started) => (control = started) });
  await using manager = await openJobManager({ ...channels, heartbeatThread: false });
  await using scheduler = openScheduler(manager);
  const isThere = async (): Promise<boolean> => {
    for await (const _ of scheduler.schedules()) return true;
    return false;
  };
  await expect.poll(isThere).toBe(true);
  const id = await scheduler.runNow("report", { reason: "a test", args });
  const record = await manager.wait(id);
  control?.stop("SIGTERM");
  const { out } = await running;
  expect(record?.status).toBe("completed");
  return out;
}

test("the args of a run by hand override those of the job and of the todo; name and timeout are those of the lock", async () => {
  const job = `    args: { name: report, timeout: 60000, day: "today", title: "report of {{day}}, {{raw}}" }
    exec: log(JSON.stringify([args.name, args.timeout, args.day, args.title, args.place, args.size, args.raw]))`;
  const args = { name: "other", timeout: 1, day: "2026-11-01", place: "hand", raw: "{{day}}" };
  expect(await byHand(job, args)).toContain(
    JSON.stringify(["report", 60_000, "2026-11-01", "report of 2026-11-01, {{day}}", "hand", 1, "{{day}}"]),
  );
});

test("a shell script finds the args of a run by hand in its variables", async () => {
  const job = `    args: { name: report, day: today }
    lang: shell
    exec: echo "the day is $day, the number $n"`;
  expect(await byHand(job, { day: "2026-11-01", n: 3 })).toContain("the day is 2026-11-01, the number 3");
});
