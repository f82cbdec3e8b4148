import { describe, expect, it } from "vitest";
import { NO_GUIDE } from "../../packages/ojob/src/testing/guide.js";
import { type Additions, blocksByHeading, type Played, play, stores } from "./stage.js";

/** What a block must do according to the text around it. */
interface Expectation extends Additions {
  /** Whether a job fails, or is stopped before its end. */
  readonly fails?: true;
  expects(played: Played): void;
}

const noErrors = (names: readonly string[]) => (played: Played) => {
  expect(played.records).toEqual(names.map((name) => `${name} completed`));
};

/** A replacement for the long work of the guide. */
const short = [["sleep(5000, true)", "sleep(100, true)"]] as const;
const everySecond = (cron: string) => [[`"${cron}"`, '"* * * * * *"']] as const;

const count = (text: string, what: string): number => text.split(what).length - 1;

const expectations: Readonly<Record<string, Expectation>> = {
  "Basic Job Management": {
    replace: short,
    expects({ log, records }) {
      expect(log).toEqual(["Job is running - protected by lock", "Job completed"]);
      expect(records).toEqual(["my-unique-job completed"]);
    },
  },
  "oJobManager Init": {
    todo: ["Init Manager"],
    expects: noErrors([]),
  },
  "oJobManager Job Start": {
    todo: ["My Protected Job"],
    // Only the end of the job itself ends it.
    expects: noErrors(["data-processor"]),
  },
  "oJobManager Job End": {
    jobs: [
      {
        name: "Started elsewhere",
        from: "oJobManager Job Start",
        args: { name: "data-processor" },
        exec: '$job("My Protected Job"); print("ended by it: " + $ch("oJobManager-jobs").getAll()[0].status);',
      },
    ],
    todo: ["Started elsewhere"],
    expects({ out, records }) {
      expect(out).toContain("ended by it: completed");
      expect(records).toEqual(["data-processor completed"]);
    },
  },
  "oJobManager Error": {
    jobs: [
      { name: "Start", from: "oJobManager Job Start", args: { name: "might-fail" }, exec: '$job("My Protected Job");' },
    ],
    replace: [["// Job logic that might fail", 'throw new Error("it failed");']],
    todo: ["Start"],
    fails: true,
    expects({ records }) {
      expect(records).toEqual(["might-fail failed it failed"]);
    },
  },
  "Pattern 1: Basic Managed Job": {
    load: `
      function loadData() { return [1, 2, 3]; }
      function processData(data) { return data.map(x => x * 2); }
      function saveResults(results) { print("saved " + results); }`,
    expects({ log, out, records }) {
      expect(log).toEqual(["Processing daily data", "Data processing completed"]);
      expect(out).toContain("saved 2,4,6");
      expect(records).toEqual(["daily-data-processor completed"]);
    },
  },
  "Pattern 2: Scheduled Job with Protection": {
    replace: everySecond("0 * * * *"),
    load: `
      function cleanupOldFiles() { print("files"); }
      function cleanupExpiredSessions() { print("sessions"); }
      function cleanupLogs() { print("logs"); }`,
    until: (out) => count(out, "Cleanup completed") >= 2,
    expects({ out, records }) {
      expect(out.indexOf("files")).toBeLessThan(out.indexOf("sessions"));
      expect(records.length).toBeGreaterThanOrEqual(2);
      expect(records.filter((record) => !/^hourly-cleanup (completed|cancelled)/.test(record))).toEqual([]);
    },
  },
  "Pattern 4: Dynamic Job Launching": {
    replace: [["[...]", "[1, 2]"]],
    load: 'function processItem(item) { log("item " + item); }',
    expects({ log, records }) {
      for (const batch of ["batch-001", "batch-002", "batch-003"]) {
        expect(log.indexOf(`Processing batch: ${batch}`)).toBeLessThan(log.indexOf(`Batch completed: ${batch}`));
        // The template in the name is filled, whichever way the name was given.
        expect(records).toContain(`batch-${batch} completed`);
      }
      expect(records).toHaveLength(3);
      expect(log.filter((line) => line.startsWith("item "))).toHaveLength(6);
    },
  },
  "Pattern 5: Job Status Monitoring": {
    replace: everySecond("*/5 * * * *"),
    jobs: [
      {
        name: "Something",
        from: "oJobManager Job Start",
        to: "oJobManager Job End",
        args: { name: "something" },
        exec: "sleep(10, true);",
      },
    ],
    todo: ["Init", "Something", "Cleanup Old Records", "Monitor Jobs"],
    until: (out) => count(out, "Active Jobs: 1") >= 2,
    expects({ log, records }) {
      expect(
        log.filter((line) => /^Job: something \| Status: COMPLETED \| Duration: \d+s$/.test(line)).length,
      ).toBeGreaterThan(1);
      // It is less than a day old.
      expect(records).toEqual(["something completed"]);
    },
  },
  "Automatic Error Handling": {
    load: "var someCondition = true;",
    todo: ["Safe Job"],
    fails: true,
    expects({ err, records }) {
      expect(err).toContain("Job failed due to condition");
      expect(records).toEqual(["safe-job failed Job failed due to condition"]);
    },
  },
  "Custom Error Handling": {
    load: `
      function riskyOperation() { throw new Error("too risky"); }
      function sendAlert(text) { print("ALERT " + text); }`,
    todo: ["Custom Error Job"],
    fails: true,
    expects({ out, err, records }) {
      expect(err).toContain("Job failed: too risky");
      expect(out).toContain("ALERT Job failed: custom-error-job");
      expect(records).toEqual(["custom-error-job failed too risky"]);
    },
  },
  "Query Job Status": {
    jobs: [
      {
        name: "Mine",
        from: "oJobManager Job Start",
        args: { name: "my-job" },
        exec: 'if (args.inside) $job("Check Job Status"); if (args.fail) throw "no luck";',
      },
    ],
    todo: [
      "Check Job Status",
      { name: "Mine", args: { inside: true } },
      { name: "Mine", args: { fail: true } },
      "Check Job Status",
    ],
    fails: true,
    expects({ out }) {
      expect(out).toMatch(
        /Job not found or not running\nJob: my-job\nStarted: .*\d{4}.*\nStatus: Running\nRunning for: \d+ms\nJob: my-job\nStarted: .*\nEnded: .*\nDuration: \d+ms\nStatus: Failed\nError: no luck\n/,
      );
    },
  },
  "Job History Report": {
    jobs: [
      {
        name: "Some",
        from: "oJobManager Job Start",
        args: [{ name: "a" }, { name: "b" }, { name: "a" }],
        exec: "sleep(5);",
      },
      { name: "Failing", from: "oJobManager Job Start", args: { name: "b" }, exec: 'throw "x";' },
    ],
    todo: ["Some", "Failing", "Job History"],
    fails: true,
    expects({ out }) {
      expect(out).toMatch(/name: a\n +totalRuns: 2\n +successfulRuns: 2\n +failedRuns: 0\n +avgDuration: [\d.]+\n/);
      expect(out).toMatch(/name: b\n +totalRuns: 2\n +successfulRuns: 1\n +failedRuns: 1\n +avgDuration: [\d.]+\n/);
    },
  },
  "Timeout Handling": {
    // Eleven seconds before its timeout it stops by itself.
    replace: [["timeout: 300000  # 5 minutes", "timeout: 10200"]],
    load: "function hasMoreWork() { return true; } function doWork() {}",
    todo: ["Job with Timeout"],
    expects({ log, records }) {
      expect(log).toEqual(["Job approaching timeout, stopping gracefully"]);
      expect(records).toEqual(["timeout-job completed"]);
    },
  },
  "Conditional Job Execution": {
    jobs: [
      { name: "My Protected Job", exec: 'log("it was started");' },
      { name: "Running", from: "oJobManager Job Start", args: { name: "my-job" }, exec: '$job("Conditional Job");' },
    ],
    todo: ["Running", "Conditional Job"],
    expects({ log }) {
      expect(log).toEqual(["Job already running, skipping", "it was started"]);
    },
  },
  "Job Dependencies": {
    replace: [
      ["// Job A logic", 'sleep(50, true); log("A");'],
      ["// Job B logic (runs after Job A)", 'log("B");'],
    ],
    // The waiting one comes first.
    todo: ["Job B", "Job A"],
    expects({ log, records }) {
      expect(log).toEqual(["A", "B"]);
      expect(records).toEqual(["job-b completed", "job-a completed"]);
    },
  },
  "4. Clean Up Old Records": {
    replace: everySecond("0 4 * * *"),
    load: 'function cleanupOldJobRecords() { log("cleaned"); }',
    todo: ["Cleanup"],
    until: (out) => count(out, "cleaned") >= 2,
    expects: noErrors([]),
  },
  "5. Monitor Job Health": {
    replace: everySecond("*/15 * * * *"),
    load: 'function checkForStuckJobs() { log("stuck?"); } function alertOnLongRunning() { log("long?"); }',
    todo: ["Health Check"],
    until: (out) => count(out, "long?") >= 2,
    expects({ log }) {
      expect(log.slice(0, 4)).toEqual(["stuck?", "long?", "stuck?", "long?"]);
    },
  },
  "Job Won't Start (Lock Acquisition Fails)": {
    jobs: [
      {
        name: "Stuck",
        from: "oJobManager Job Start",
        args: { name: "stuck" },
        exec: "sleep(60000, true);",
      },
      {
        name: "Somebody",
        exec: 'global.oJobManagerLaunchJob("Stuck"); while ($ch("oJobManager-jobs").size() == 0) sleep(5);',
      },
    ],
    todo: [
      "Somebody",
      { name: "Force Unlock", args: { jobName: "stuck" } },
      { name: "Force Unlock", args: { jobName: "nobody" } },
    ],
    fails: true,
    expects({ log, records }) {
      expect(log.filter((line) => line.startsWith("Unlocked: "))).toEqual(["Unlocked: stuck", "Unlocked: nobody"]);
      expect(log).toContain('the lock "nobody" is free');
      expect(records).toEqual([expect.stringMatching(/^stuck cancelled unlocked by force/)]);
    },
  },
};

/** Blocks that are not job files, and those that have a test of their own. */
const others: Readonly<Record<string, string>> = {
  "Pattern 3: Distributed Channel Storage": "ignite.test.ts",
  "Complete Example: Batch Processing System": "the simulated week",
  "1. Use Meaningful Job Names": "names, good and bad",
  "2. Set Appropriate Timeouts": "timeouts",
  "3. Always Use Error Handling": "one key of a job",
  "Channel Issues": "one argument of Init",
};

/** What the scripts load: nothing, or the functions of OpenAF, some of which have the same names as ours. */
const PACKAGES = [
  { title: "without a package", packages: [], tags: ["full"] },
  { title: "with @ojm/openaf", packages: ["@ojm/openaf"], tags: [] },
];

const blocks = blocksByHeading();

if (blocks.size === 0) it.skip(`the guide: ${NO_GUIDE}`, () => {});
else describe("the guide", declare);

function declare(): void {
  it("has no block that is not looked at", () => {
    expect([...blocks.keys()].sort()).toEqual([...Object.keys(expectations), ...Object.keys(others)].sort());
  });

  for (const store of stores) {
    const why = store.missing ? `: ${store.missing}` : "";
    const tags = store.name === "sqlite" ? [] : ["full"];
    describe.skipIf(store.missing !== undefined)(`on ${store.name}${why}`, { tags }, () => {
      for (const [heading, expectation] of Object.entries(expectations)) {
        for (const { title, packages, tags } of PACKAGES) {
          it(`${heading}, ${title}`, { timeout: 120_000, tags }, async () => {
            const block = blocks.get(heading);
            if (block === undefined) throw new Error("there is no such block");
            const played = await play(block, store, expectation, packages);
            const { held, strays } = played;
            expect([held, strays]).toEqual([[], []]);
            // A stop may come during a run, or between two.
            if (expectation.until === undefined)
              expect([played.well, played.err]).toEqual([expectation.fails !== true, expect.any(String)]);
            expectation.expects(played);
          });
        }
      }
    });
  }
}
