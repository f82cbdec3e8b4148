import { openChannel } from "@ojm/core";
import { describe, expect, it } from "vitest";
import { fromYaml, toYaml } from "../../packages/ojob/src/load/yaml/yaml.js";
import { DIRECTOR_GUIDE } from "../../packages/ojob/src/testing/guide.js";
import { type Additions, type Block, blocksByHeading, type Played, play, stores } from "./stage.js";

/* Every YAML block of the guide of oJob Director, on every store. */

/** What a block must do according to the text around it. */
interface Expectation extends Additions {
  /** The job around a fragment that is only a script. */
  readonly around?: object;
  readonly fails?: true;
  expects(played: Played, entries: readonly DirectorEntry[]): void;
}

interface DirectorEntry {
  readonly [field: string]: unknown;
  readonly name: string;
  readonly uuid: string;
  readonly status: string;
  readonly timestamp: number;
  readonly start: readonly number[];
  readonly end: readonly number[];
  readonly attempts: number;
  readonly result?: unknown;
}

const INCLUDE = ["oJobDirector.yaml"];

/** Shows the entries when all is over. */
const ENTRIES = {
  name: "Entries",
  exec: 'print("ENTRIES " + JSON.stringify($ch(global.oJobCheck.ch).getAll()));',
};

const INIT = { name: "Init for it", to: "oJob Director init" };
const work = (name: string, uuid: string, more: object = {}): object => ({
  name: "Work",
  from: "oJob Director checkin",
  args: { jobName: name, jobUUID: uuid },
  ...more,
});

const namesOf = (entries: readonly DirectorEntry[]): string[] =>
  entries.map(({ name, uuid, status }) => `${name} ${uuid} ${status}`).sort();

const ORDER = { jobName: "order-processing", jobUUID: "o-1" };

const expectations: Readonly<Record<string, Expectation>> = {
  "Basic Setup": {
    load: "function processData(data) { return { twice: 2 * data }; }",
    todo: [
      "Initialize Director",
      { name: "My Distributed Job", args: { uuid: "abc-123", data: 4 } },
      { name: "My Distributed Job", args: { uuid: "abc-123", data: 5 } },
      { name: "My Distributed Job", args: { uuid: "abc-124", data: 6 } },
      "Entries",
    ],
    channels: ["myapp::coordination"],
    expects({ log, records, err }, entries) {
      expect(log.filter((line) => line.startsWith("Processing"))).toEqual([
        "Processing job with UUID: abc-123",
        "Processing job with UUID: abc-124",
      ]);
      expect(err).toMatch(
        /-- My Distributed Job: skipped, "abc-123" of "process-data" is done, at \S+ by process-data@/,
      );
      expect(records).toEqual(["process-data completed", "process-data completed"]);
      expect(entries.find(({ uuid }) => uuid === "abc-123")).toMatchObject({
        ...{ type: "director", app: "myapp", name: "process-data", status: "completed", result: { twice: 8 } },
        ...{ attempts: 1, timestamp: expect.any(Number), start: [expect.any(Number)], end: [expect.any(Number)] },
      });
    },
  },
  "oJob Director init": {
    todo: ["Setup Director", "Entries"],
    channels: ["production::jobs"],
    expects: (_, entries) => expect(entries).toEqual([]),
  },
  "oJob Director checkin": {
    todo: [
      { name: "Process Order", args: { orderId: 17 } },
      { name: "Process Order", args: { orderId: 17 } },
      "Entries",
    ],
    channels: ["oJob::check"],
    expects({ log }, entries) {
      expect(log.filter((line) => line.startsWith("Processing order"))).toEqual(["Processing order: 17"]);
      // Only the end of the job checks it out.
      expect(entries).toMatchObject([{ name: "order-processing", uuid: "17", status: "completed", result: {} }]);
    },
  },
  "oJob Director checkout": {
    around: work("batch-process", "{{batchId}}"),
    todo: [{ name: "Work", args: { batchId: "b-1" } }, "Entries"],
    channels: ["oJob::check"],
    expects(_, entries) {
      expect(entries).toMatchObject([
        { name: "batch-process", uuid: "b-1", result: { status: "completed", itemsProcessed: 100 } },
      ]);
    },
  },
  "oJob Director check": {
    around: { name: "Work" },
    jobs: [{ ...work("import-data", "i-1"), name: "Import", exec: "" }],
    todo: [
      { name: "Work", args: { importId: "i-1" } },
      "Import",
      { name: "Work", args: { importId: "i-1" } },
      "Entries",
    ],
    channels: ["oJob::check"],
    expects({ log }, [entry]) {
      expect(log).toContain("Import is new, proceeding...");
      expect(log).toContain(`Import already processed at: ${entry?.timestamp}`);
    },
  },
  "Pattern 1: Event-Driven Processing": {
    load: "function handleEvent({ type, amount }) { return type + ' of ' + amount; }",
    channels: ["events::coordination"],
    expects({ log }, entries) {
      expect(log).toContain("Processing event: evt-12345");
      expect(entries).toMatchObject([{ name: "event-processor", uuid: "evt-12345", result: "order of 100" }]);
    },
  },
  "Pattern 2: Scheduled Job with HA": {
    replace: [
      ['"0 * * * *"', '"* * * * * *"'],
      ["yyyyMMddHH'", "yyyyMMddHHmmss'"],
    ],
    load: "function cleanupOldFiles() {} function cleanupExpiredSessions() {}",
    until: (out) => out.split("Running hourly cleanup").length > 3,
    channels: ["oJob::check"],
    jobs: [{ ...ENTRIES, name: "Last", type: "shutdown" }],
    todo: ["Init Director", "Hourly Cleanup", "Last"],
    expects(_, entries) {
      const done = entries.filter(({ status }) => status === "completed");
      expect(done.length).toBeGreaterThanOrEqual(2);
      for (const { uuid, result } of done)
        expect([uuid, result]).toEqual([expect.stringMatching(/^20\d{12}$/), { cleaned: true }]);
      expect(new Set(entries.map(({ uuid }) => uuid)).size).toBe(entries.length);
    },
  },
  "Pattern 3: Distributed Batch Processing": {
    replace: [["[...]", "[1, 2]"]],
    load: "function processItem(item) { return item; }",
    todo: ["Setup", "Create Batch Jobs", "Create Batch Jobs", "Entries"],
    channels: ["batch::coordination"],
    expects({ records }, entries) {
      expect(records).toEqual(Array(3).fill("batch-processor completed"));
      expect(namesOf(entries)).toEqual([1, 2, 3].map((i) => `batch-processor batch-00${i} completed`));
      expect(entries[0]).toMatchObject({ result: { processed: 2 } });
    },
  },
  "Pattern 4: Retry Logic with State": {
    replace: [["1000 * attempt", "10 * attempt"]],
    load: `
      function doRiskyOperation(id) {
        const tries = ($get("tries") || 0) + 1;
        $set("tries", tries);
        if (tries < 3) throw new Error("not yet");
        return id;
      }`,
    jobs: [{ ...ENTRIES, name: "All" }],
    todo: [
      "Init",
      { name: "Retry Job", args: { taskId: "t" } },
      { name: "Retry Job", args: { taskId: "t" } },
      "Entries",
    ],
    channels: ["oJob::check"],
    expects({ log, err }, entries) {
      expect(log.filter((line) => line.startsWith("Attempt"))).toEqual([
        "Attempt 1 for task t",
        "Attempt 2 for task t",
        "Attempt 3 for task t",
        // Its second call finds no entry that succeeded for the first attempt, and makes it.
        "Attempt 1 for task t",
      ]);
      expect(err).toContain("Attempt 1 failed: ");
      expect(namesOf(entries)).toEqual([
        "risky-task t-retry-1 completed",
        "risky-task t-retry-2 failed",
        "risky-task t-retry-3 completed",
      ]);
      expect(entries.find(({ uuid }) => uuid === "t-retry-1")).toMatchObject({ attempts: 2 });
    },
  },
  "In-Memory (Simple)": {
    jobs: [work("a", "1", { exec: "log('works');" })],
    todo: ["Init Director", "Work", "Work", "Entries"],
    expects({ log }, entries) {
      expect(log.filter((line) => line === "works")).toHaveLength(1);
      expect(namesOf(entries)).toEqual(["a 1 completed"]);
    },
  },
  "File-Based (Persistent)": {
    jobs: [work("a", "1", { exec: "log('works');" })],
    todo: ["Init Director", "Work", "Work", "Entries"],
    expects({ log, strays }, entries) {
      expect(log.filter((line) => line === "works")).toHaveLength(1);
      expect(namesOf(entries)).toEqual(["a 1 completed"]);
      // The paths of scripts begin at the working directory.
      expect(strays).toContain(".director-state.db");
    },
  },
  "View Active Jobs": {
    jobs: [INIT, work("a", "1", { exec: '$job("List Active Jobs");' })],
    todo: ["Init for it", "Work", "Entries"],
    channels: ["oJob::check"],
    expects({ out }) {
      expect(out).toMatch(/status: running/);
    },
  },
  "Clean Up Old Entries": {
    replace: [["24 * 60 * 60 * 1000", "-1000"]],
    jobs: [INIT, work("a", "1", { exec: "" })],
    todo: ["Init for it", "Work", "Cleanup Old Jobs", "Entries"],
    channels: ["oJob::check"],
    expects({ log }, entries) {
      expect(log).toContain("Cleaned up 1 old jobs");
      expect(entries).toEqual([]);
    },
  },
  "Debug Mode": {
    jobs: [INIT],
    todo: [
      "Init for it",
      { name: "Debug Check-in", args: { jobName: "a", jobUUID: "1" } },
      { name: "Debug Check-in", args: { jobName: "a", jobUUID: "1" } },
      "Entries",
    ],
    channels: ["oJob::check"],
    expects({ log, out }, entries) {
      expect(log).toContain("Job is new, proceeding");
      expect(out).toMatch(/Job already exists: \{[^}]*"status": "completed"/);
      expect(namesOf(entries)).toEqual(["a 1 completed"]);
    },
  },
  "3. Always Checkout": {
    around: { ...work(ORDER.jobName, ORDER.jobUUID), catch: 'log("alert");' },
    load: 'function doWork() { throw new Error("out of stock"); }',
    todo: ["Work", "Work", "Entries"],
    channels: ["oJob::check"],
    fails: true,
    expects({ log, err }, entries) {
      expect(err).toContain("out of stock");
      expect(log.filter((line) => line === "alert")).toHaveLength(1);
      expect(log).toContainEqual(expect.stringMatching(/^"o-1" of "order-processing" is checked out with an error/));
      expect(entries).toMatchObject([{ status: "completed", result: { error: "out of stock", success: false } }]);
    },
  },
  "4. Include Metadata in Stamps": {
    jobs: [work("a", "1", { exec: "" })],
    todo: ["Init", "Work", "Entries"],
    channels: ["oJob::check"],
    expects: (_, entries) => expect(entries).toMatchObject([{ version: "1.0.0", datacenter: "us-east-1", name: "a" }]),
  },
  "5. Implement Cleanup": {
    replace: [['"0 2 * * *"', '"* * * * * *"']],
    jobs: [{ name: "Cleanup Old Jobs", exec: "log('older than ' + args.olderThanHours);" }, INIT],
    todo: ["Init for it", "Daily Cleanup", "Entries"],
    until: (out) => out.includes("older than 48"),
    channels: ["oJob::check"],
    expects: ({ log }) => expect(log).toContain("older than 48"),
  },
  "Complete Example: Order Processing System": {
    replace: [
      ['plugin("Ignite")\n', ""],
      ['1, "ignite", {\n        gridName: "orderGrid"\n      }', "STORE"],
      ['"*/5 * * * *"', '"* * * * * *"'],
    ],
    until: (out) => /Order Stats: \{[^}]*"completed": 1/.test(out),
    jobs: [{ ...ENTRIES, name: "Last", type: "shutdown" }],
    channels: ["orders::coordination"],
    expects({ log, out }, entries) {
      for (const line of [
        "Received order: ORD-001",
        "Processing order: ORD-001",
        "Reserved inventory for order: ORD-001",
        "Processed payment for order: ORD-001",
        "Created shipment for order: ORD-001",
        "Order completed: ORD-001",
      ])
        expect(log).toContain(line);
      expect(out).toMatch(/Order Stats: \{\s*"total": 1,\s*"completed": 1,\s*"failed": 0,\s*"processing": 0\s*\}/);
      expect(entries).toMatchObject([
        {
          app: "order-processor",
          name: "order-processing",
          uuid: "ORD-001",
          result: { status: "completed", total: 1500 },
        },
      ]);
    },
  },
};

/** Blocks that show words, not a job; and those that other tests run. */
const ELSEWHERE = ["1. Use Meaningful Job Names", "2. Generate UUIDs Carefully"];
const OTHER_STORES = ["Ignite (Distributed)", "ElasticSearch (Audit Trail)"];

const blocks = blocksByHeading(DIRECTOR_GUIDE);
const NO_GUIDE = "the guide of oJob Director is neither at OJM_DIRECTOR_GUIDE nor beside the repository";

/** The block as a job file, with its missing jobs. */
function asFile(block: Block, { around, todo }: Expectation): Block {
  const file = fromYaml(block.text) as { include?: unknown; jobs?: object[]; todo?: unknown[]; exec?: string };
  const { exec, ...rest } = file;
  const jobs = exec === undefined ? (file.jobs ?? []) : [{ ...around, exec }];
  const has = todo ?? file.todo ?? [];
  const shown = has.includes("Entries") || has.includes("Last") ? has : [...has, "Entries"];
  return {
    heading: block.heading,
    text: toYaml({ ...rest, include: file.include ?? INCLUDE, jobs: [...jobs, ENTRIES], todo: shown }),
  };
}

if (DIRECTOR_GUIDE === undefined) it.skip(`the guide of oJob Director: ${NO_GUIDE}`, () => {});
else declare();

function declare(): void {
  it("every YAML block of the guide of oJob Director has a test", () => {
    expect([...blocks.keys()].sort()).toEqual([...Object.keys(expectations), ...ELSEWHERE, ...OTHER_STORES].sort());
  });

  it.each(OTHER_STORES)(
    "%s: without its backend, the error says what is missing, and nothing runs",
    async (heading) => {
      const block = blocks.get(heading) as Block;
      const [simple] = stores;
      const text = block.text.replace('plugin("Ignite")\n', "");
      const works = { todo: ["Init Director", "Work"], jobs: [work("a", "1", { exec: "log('works');" })] };
      const expectation = { ...works, expects: () => {} };
      const file = asFile({ ...block, text }, expectation);
      const shown = { ...file, text: toYaml({ ...(fromYaml(file.text) as object), todo: ["Init Director", "Work"] }) };
      const { well, err, log } = await play(shown, simple as never, { ...works, todo: ["Init Director"] });
      expect(well).toBe(false);
      expect(err).toMatch(/ignite|elasticsearch/);
      expect(log).not.toContain("works");
    },
  );

  for (const store of stores) {
    const tags = ["sqlite", "redis"].includes(store.name) ? [] : ["full"];
    describe.skipIf(store.missing !== undefined)(
      `the guide of oJob Director on ${store.name}${store.missing ? `: ${store.missing}` : ""}`,
      { tags },
      () => {
        it.each(Object.entries(expectations))("%s", async (heading, expectation) => {
          const block = blocks.get(heading) as Block;
          const replace = (expectation.replace ?? []).reduce((text, [what, by]) => {
            expect(text).toContain(what);
            return text.replaceAll(what, by);
          }, block.text);
          const { chLocks } = await store.open();
          // In the place of Ignite. A store of one process has another path than that of the manager.
          const { type, args } = store.name === "level" ? { type: "level", args: { path: "./orders" } } : chLocks;
          const text = replace.replace("STORE", `1, ${JSON.stringify(type)}, ${JSON.stringify(args)}`);
          const file = asFile({ ...block, text }, expectation);
          const { replace: _, todo: __, ...additions } = expectation;
          const played = await play(file, store, additions);
          // Channels in memory stay as long as this process.
          for (const name of ["local::coordination", "orders::coordination"])
            await (await openChannel(name, { type: "simple", args: {} })).destroy();
          // A daemon is stopped: it does not end by itself.
          const { fails, until } = expectation;
          expect(played.well, played.err).toBe(fails === undefined && until === undefined);
          const line = played.out.split("\n").find((one) => one.startsWith("ENTRIES "));
          const entries = line === undefined ? [] : (JSON.parse(line.slice("ENTRIES ".length)) as DirectorEntry[]);
          expectation.expects(played, entries);
          expect(played.held).toEqual([]);
        });
      },
    );
  }
}
