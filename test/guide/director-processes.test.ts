import { folderWith } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { start } from "../../packages/cli/src/testing/ojm.js";
import { fromYaml, toYaml } from "../../packages/ojob/src/load/yaml/yaml.js";
import { DIRECTOR_GUIDE } from "../../packages/ojob/src/testing/guide.js";
import { blocksByHeading, replaced, stores } from "./stage.js";

/* Pattern 3 of the guide of oJob Director, with several processes, one of which is killed. */

const block = blocksByHeading(DIRECTOR_GUIDE).get("Pattern 3: Distributed Batch Processing");

/** The first worker stays in its first batch until it is killed. */
const FUNCTIONS = `
  function processItem(item) {
    while (getEnv("WORKER_ID") == "first") sleep(20);
    return item;
  }`;

const ENTRIES = 'print("ENTRIES " + JSON.stringify($ch(global.oJobCheck.ch).getAll()));';

interface BatchEntry {
  readonly uuid: string;
  readonly status: string;
  readonly attempts: number;
  readonly result?: { readonly worker: string };
}

if (block === undefined) it.skip("oJob Director with several processes: its guide is not there", () => {});
else
  for (const { name, missing, open } of stores.filter((store) => !["simple", "level"].includes(store.name))) {
    const tags = ["sqlite", "redis"].includes(name) ? [] : ["full"];
    describe.skipIf(missing !== undefined)(`oJob Director on ${name}${missing ? `: ${missing}` : ""}`, { tags }, () => {
      it("of several processes one works on each batch; after one is killed, the next makes up for its batch", {
        timeout: 120_000,
      }, async () => {
        const { chJobs, chLocks } = await open();
        const file = fromYaml(replaced(block, [["[...]", "[1, 2]"]])) as { jobs: object[]; todo: unknown[] };
        const text = toYaml({
          ...file,
          include: ["oJobDirector.yaml", "oJobManager.yaml"],
          jobs: [...file.jobs, { name: "Entries", exec: ENTRIES }],
          todo: [{ name: "oJobManager Init", args: { chJobs, chLocks } }, ...file.todo, "Entries"],
        });
        const folder = folderWith({ "jobs.yaml": text, "functions.js": FUNCTIONS });
        const run = (worker: string) => {
          const before = process.env["WORKER_ID"];
          process.env["WORKER_ID"] = worker;
          const started = start(folder, "run", "jobs.yaml", "--load", "functions.js");
          if (before === undefined) delete process.env["WORKER_ID"];
          else process.env["WORKER_ID"] = before;
          return started;
        };
        const entriesOf = (out: string): BatchEntry[] => {
          const line = out.split("\n").find((one) => one.startsWith("ENTRIES ")) ?? "";
          const entries = JSON.parse(line.slice("ENTRIES ".length)) as BatchEntry[];
          return entries.sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
        };
        const first = run("first");
        await first.prints("Worker first processing batch-001");

        const second = await run("second").ended;
        expect(second.err).toContain('"batch-001" of "batch-processor" is being worked on: by pid ');
        expect(second.code).toBe(0);
        expect(entriesOf(second.out)).toMatchObject([
          { uuid: "batch-001", status: "running", attempts: 1 },
          { uuid: "batch-002", status: "completed", result: { worker: "second" } },
          { uuid: "batch-003", status: "completed", result: { worker: "second" } },
        ]);

        first.process.kill("SIGKILL");
        await first.ended;
        const third = await run("third").ended;
        expect(third.code, third.err).toBe(0);
        expect(third.out).toContain("Worker third processing batch-001");
        expect(third.out).not.toContain("batch-002\n");
        expect(entriesOf(third.out)).toMatchObject([
          { uuid: "batch-001", status: "completed", attempts: 2, result: { worker: "third" } },
          { uuid: "batch-002", status: "completed", attempts: 1, result: { worker: "second" } },
          { uuid: "batch-003", status: "completed", attempts: 1, result: { worker: "second" } },
        ]);
      });
    });
  }
