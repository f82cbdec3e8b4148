import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it, onTestFinished } from "vitest";
import { Ojm } from "../packages/cli/src/testing/ojm.js";
import { onSharedStores } from "./support/stores.js";

/** A job file on a store: a managed job, and a job that watches it from another process. */
function jobFile({ chJobs, chLocks }: JobManagerOptions): string {
  return `include: [oJobManager.yaml]
jobs:
  - name: Init
    to: oJobManager Init
    args: ${JSON.stringify({ chJobs, chLocks })}
  - name: Work
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: work }
    exec: |
      var isMine = r => r.name == "work" && r.status == "running";
      var mine = $ch("oJobManager-jobs").getAll().filter(isMine)[0];
      mine.checked = "by itself";
      $ch("oJobManager-jobs").set({ name: mine.name, startTime: mine.startTime }, mine);
      print("works");
      while (isUnDef($ch("oJobManager-jobs").getAll().filter(isMine)[0].alerted)) sleep(20, true);
  - name: Monitor
    exec: |
      $ch("oJobManager-jobs").getAll().filter(r => r.name == "work" && r.status == "running").forEach(r => {
        r.alerted = true;
        $ch("oJobManager-jobs").set({ name: r.name, startTime: r.startTime }, r);
        print("alerted");
      });
todo: [Init, Work]
`;
}

type Added = RunRecord & { readonly checked?: string; readonly alerted?: boolean };

onSharedStores({ first: ["redis"] }, (create) => {
  it("a job whose record is written back, by itself and by a monitoring job of another process, completes", async () => {
    const options = await create();
    const folder = temporaryFolder();
    writeFileSync(join(folder, "a.yaml"), jobFile(options));
    const run = (...words: string[]): Ojm => {
      const ojm = new Ojm(folder, ["run", "a.yaml", ...words]);
      onTestFinished(() => void ojm.process.kill("SIGKILL"));
      return ojm;
    };
    const work = run();
    await work.prints("works");
    expect(await run("--job", "Init", "--job", "Monitor").ended).toMatchObject({ code: 0, out: "alerted\n" });
    expect(await work.ended).toMatchObject({ code: 0 });
    await using manager = await openJobManager(options);
    const records: Added[] = [];
    for await (const record of manager.history()) records.push(record);
    expect(records).toMatchObject([{ name: "work", status: "completed", checked: "by itself", alerted: true }]);
    expect(await manager.heldLocks()).toEqual([]);
  });
});
