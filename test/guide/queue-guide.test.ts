import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { afterAll, describe, expect, it } from "vitest";
import { checkJobFile } from "../../packages/ojob/src/index.js";
import { QUEUE_GUIDE } from "../../packages/ojob/src/testing/guide.js";
import { type Additions, blocksByHeading, FRAGMENT, type Played, play, stores } from "./stage.js";

/** What a block must do according to the text around it. */
interface Expectation extends Additions {
  /** Whether it needs the functions of OpenAF. */
  readonly openaf?: true;
  /** Whether it is a daemon, which the test stops. */
  readonly stops?: true;
  expects(played: Played): void;
}

const INCLUDE = ["oJobQueue.yaml"];
const INIT = { name: "Init", to: "oJob Queue Manager" };

const job = (name: string, exec: string): object => ({ name, exec });

/** Ends once the queue is empty: a worker ends with the todo. */
const WAIT = { name: "Wait", exec: "while (global.__oJobQueue.size() > 0) sleep(20);" };

const everySecond = (cron: string) => [[`"${cron}"`, '"* * * * * *"']] as const;

const count = (text: string, what: string | RegExp): number => text.split(what).length - 1;

const sorted = (lines: readonly string[], what: RegExp): string[] => lines.filter((line) => what.test(line)).toSorted();

/** The rules that a script of the guide reads, from the working directory in the guide. */
const CONFIG = mkdtempSync(join(tmpdir(), "ojm-"));
writeFileSync(
  join(CONFIG, "rules.yaml"),
  "rules: [{ rule: '{{size}} > 1', job: Large }, { rule: '{{size}} < 1', job: Small }]\n",
);
afterAll(() => rmSync(CONFIG, { recursive: true }));

const expectations: Readonly<Record<string, Expectation>> = {
  "Basic Queue Setup": {
    stops: true,
    until: (out) => count(out, "Processing: ") === 2 && out.includes('"Second"') && out.includes('"First"'),
    expects({ records }) {
      expect(records).toEqual(["queue completed", "queue completed"]);
    },
  },
  "oJob Queue Manager": {
    include: INCLUDE,
    todo: ["Start Queue"],
    expects({ records }) {
      expect(records).toEqual([]);
    },
  },
  "oJob Queue Add": {
    include: INCLUDE,
    jobs: [INIT, WAIT, job("Send Email", "log(args.to + ': ' + args.data.subject + ', ' + args.body)")],
    todo: ["Init", FRAGMENT, "Wait"],
    expects({ log, records }) {
      expect(log).toContain("user@example.com: Hello, Welcome!");
      expect(records).toEqual(["queue completed"]);
    },
  },
  "oJob Queue Delete": {
    include: INCLUDE,
    jobs: [
      { ...INIT, args: { concurrency: 1 } },
      job("Work", "log('work ' + args.n); while ($get('go') !== 1) sleep(5);"),
      job(
        "Add",
        `for (const n of [1, 2]) $job("oJob Queue Add", { job: "Work", data: { n } });
         while ($job("oJob Queue Report").report.active !== 1) sleep(5);`,
      ),
      job("Go", "$set('go', 1)"),
    ],
    todo: ["Init", "Add", FRAGMENT, "Go"],
    expects({ log }) {
      // The item that is next, which no job handles.
      expect(log.filter((line) => line.startsWith("work"))).toEqual(["work 1"]);
    },
  },
  "oJob Queue Rules": {
    include: INCLUDE,
    jobs: [INIT, WAIT],
    todo: ["Init", "Process Rules", "Wait"],
    expects({ log, records }) {
      const alerts = sorted(log, /^(ALERT|WARNING|CRITICAL)/);
      expect(alerts).toEqual(["ALERT: High temperature detected: 85", "WARNING: Pressure is high: 120"]);
      expect(records).toEqual(["queue completed", "queue completed"]);
    },
  },
  "Pattern 1: Background Email Queue": {
    stops: true,
    // The jobs of OpenAF's files for mail and HTTP, which do not come with ojm.
    files: {
      "oJobEmail.yaml": `jobs:
  - name: oJob Send email
    exec: log([args.server, args.from, args.to, args.subject, args.output].join("|"))
`,
    },
    jobs: [
      job("HTTP Start Server", "log('listening')"),
      job(
        "HTTP Service",
        `const serve = body => new Function("request", "server", args.execURI)({ body: JSON.stringify(body) }, {
           reply: (text, code) => log(code + " " + text),
           replyOKJSON: data => log("200 " + data.status)
         });
         process.env.SMTP_SERVER = "smtp.example.org"; process.env.EMAIL_FROM = "shop@example.org";
         serve({ to: "ana@example.org", subject: "Hi", body: "Hello" });
         serve({ to: "ana@example.org" });`,
      ),
    ],
    until: (out) => out.includes("|Hello"),
    expects({ log, records }) {
      expect(log).toEqual(expect.arrayContaining(["200 queued", "400 Missing required fields"]));
      expect(log).toContain("smtp.example.org|shop@example.org|ana@example.org|Hi|Hello");
      expect(records).toEqual(["queue completed"]);
    },
  },
  "Pattern 2: Event-Driven Processing with Rules": {
    stops: true,
    until: (out) => count(out, "ALERT: ") >= 3 && count(out, "WARNING: ") >= 2,
    expects({ log, records }) {
      expect(sorted(log, /^(ALERT|WARNING): /)).toEqual([
        "ALERT: High humidity on sensor SENSOR-3: 85%",
        "ALERT: High temperature on sensor SENSOR-1: 32°C",
        "ALERT: Low temperature on sensor SENSOR-2: 8°C",
        "WARNING: Uncomfortable heat index on sensor SENSOR-1",
        "WARNING: Uncomfortable heat index on sensor SENSOR-3",
      ]);
      expect(records).toEqual(Array(5).fill("queue completed"));
    },
  },
  "Pattern 3: Batch Processing with Priority": {
    replace: [["sleep(1000, true)", "sleep(20, true)"]],
    stops: true,
    until: (out) => count(out, "Completed item") === 3,
    expects({ log, records }) {
      expect(sorted(log, /^Processing/)).toEqual([
        "Processing [high] item 1: Critical data",
        "Processing [high] item 3: Important data",
        "Processing [low] item 2: Normal data",
      ]);
      expect(records).toEqual(Array(3).fill("queue completed"));
    },
  },
  "Pattern 4: Delayed Job Execution": {
    replace: [
      ["delaySeconds: 10", "delaySeconds: 0.2"],
      ["delaySeconds: 30", "delaySeconds: 0.4"],
    ],
    stops: true,
    until: (out) => out.includes("REMINDER: ") && out.includes("Running cleanup task"),
    expects({ log, records }) {
      expect(log).toContain("REMINDER: Meeting in 10 minutes");
      expect(log).toContain("Waiting 0.4 seconds before executing Cleanup Task");
      expect(records).toEqual(["queue completed", "queue completed"]);
    },
  },
  "Pattern 5: Rate-Limited API Processing": {
    // An API that fails for one address.
    load: `
      var ow = { loadObj() {} };
      function $rest() {
        const getResponse = url => {
          if (!url.endsWith("/comments/1")) return { data: { url } };
          print("no answer");
          throw new Error("the server does not answer");
        };
        return { get: url => ({ getResponse: () => getResponse(url) }) };
      }`,
    stops: true,
    until: (out) => count(out, "Storing result for") === 4 && out.includes("no answer"),
    expects({ log, err, records }) {
      expect(sorted(log, /^Storing/)).toEqual([
        "Storing result for /posts/1",
        "Storing result for /posts/2",
        "Storing result for /users/1",
        "Storing result for /users/2",
      ]);
      expect(err).toContain("API failed for /comments/1");
      expect(records).toEqual(Array(5).fill("queue completed"));
    },
  },
  "Queue Monitoring": {
    include: INCLUDE,
    replace: everySecond("*/30 * * * * *"),
    jobs: [
      INIT,
      job("Work", "while ($get('go') !== 1) sleep(5);"),
      job("Add", '$job("oJob Queue Add", { job: "Work", data: {} });'),
    ],
    todo: ["Init", "Add", "Monitor Queue"],
    stops: true,
    until: (out) => out.includes('"queueSize": 1'),
    expects({ records }) {
      // The job of the item was asked to stop: the item waits again.
      expect(records).toEqual([expect.stringMatching(/^queue skipped/)]);
    },
  },
  "Custom Error Handling": {
    include: INCLUDE,
    load: 'function doSomething(data) { throw new Error("broken " + data.x); }',
    jobs: [
      INIT,
      WAIT,
      job(
        "Submit",
        `$ch("failed-jobs").create();
         $job("oJob Queue Add", { job: "Process with Error Handling", data: { x: 7 } });`,
      ),
    ],
    todo: ["Init", "Submit", "Wait"],
    expects({ log, err, records }) {
      expect(log.filter((line) => line.startsWith("Re-queuing"))).toEqual(
        [1, 2, 3].map((n) => `Re-queuing (attempt ${n})`),
      );
      expect(count(err, "Job failed: broken 7")).toBe(4);
      expect(err).toContain("Max retries exceeded, moving to dead letter queue");
      expect(records).toEqual(Array(4).fill("queue completed"));
    },
  },
  "Dynamic Rule Loading": {
    openaf: true,
    include: INCLUDE,
    replace: [['"rules.yaml"', JSON.stringify(join(CONFIG, "rules.yaml"))]],
    jobs: [INIT, WAIT, job("Large", "log('large ' + args.size)"), job("Small", "log('small ' + args.size)")],
    todo: ["Init", { name: "Load Rules from Config", args: { event: { size: 2 } } }, "Wait"],
    expects({ log, records }) {
      expect(sorted(log, /^(large|small)/)).toEqual(["large 2"]);
      expect(records).toEqual(["queue completed"]);
    },
  },
  "2. Handle Job Failures": {
    todo: ["Safe Job"],
    expects({ err }) {
      expect(err).toContain(">> Safe Job");
    },
  },
  "3. Monitor Queue Size": {
    include: INCLUDE,
    replace: [...everySecond("* * * * *"), ["size > 1000", "size >= 0"]],
    jobs: [INIT],
    todo: ["Init", "Queue Health Check"],
    stops: true,
    until: (out) => out.includes("backlog"),
    expects({ log }) {
      expect(log).toContain("WARNING: Queue backlog is large: 0");
    },
  },
  "5. Set Appropriate Timeouts": {
    include: INCLUDE,
    todo: ["Init Queue"],
    expects({ records }) {
      expect(records).toEqual([]);
    },
  },
  "6. Clean Up Resources": {
    include: INCLUDE,
    jobs: [INIT],
    todo: ["Init"],
    expects({ err }) {
      expect(err).toContain(">> Cleanup");
    },
  },
  "Complete Example: Order Processing System": {
    replace: [["sleep(2000, true)", "sleep(20, true)"], ...everySecond("*/30 * * * * *")],
    stops: true,
    until: (out) =>
      count(out, "Sending confirmation") === 2 && out.includes("System status") && out.includes("flagged"),
    expects({ log, records }) {
      expect(sorted(log, /^(Validating|Processing|Sending|High|Bulk)/)).toEqual([
        "High-value order flagged: ORD-002 ($5000)",
        "Processing order: ORD-001",
        "Processing order: ORD-002",
        "Sending confirmation for order: ORD-001",
        "Sending confirmation for order: ORD-002",
        "Validating order: ORD-001",
        "Validating order: ORD-002",
      ]);
      expect(records.filter((record) => record !== "queue completed")).toEqual([]);
      expect(records).toHaveLength(7);
    },
  },
};

/** Blocks that are no job file: settings alone, names. */
const PARTS = ["1. Use Daemon Mode", "4. Use Meaningful Job Names"];

const blocks = blocksByHeading(QUEUE_GUIDE);

it("all blocks of the guide of oJob Queue are known", () => {
  expect([...blocks.keys()].filter((heading) => !PARTS.includes(heading))).toEqual(
    QUEUE_GUIDE === undefined ? [] : Object.keys(expectations),
  );
});

describe.skipIf(QUEUE_GUIDE === undefined)("the guide of oJob Queue", () => {
  for (const store of stores) {
    const tags = ["simple", "sqlite", "redis"].includes(store.name) ? [] : ["full"];
    describe.skipIf(store.missing !== undefined)(`on ${store.name}`, { tags }, () => {
      it.each(Object.entries(expectations))("%s", async (heading, expectation) => {
        const block = blocks.get(heading);
        if (block === undefined) throw new Error(`the guide has no block under "${heading}"`);
        const played = await play(block, store, expectation, expectation.openaf ? ["@ojm/openaf"] : []);
        expect(played.well, played.err).toBe(expectation.stops !== true);
        expectation.expects(played);
        expect(played.held).toEqual([]);
        expect(played.strays).toEqual([]);
      });
    });
  }

  it("jobs of OpenAF for mail and HTTP do not come with ojm, and the check says so", async () => {
    const { text = "" } = blocks.get("Pattern 1: Background Email Queue") ?? {};
    const path = join(folderWith({ "jobs.yaml": text }), "jobs.yaml");
    await expect(checkJobFile(path)).rejects.toThrow(/oJobEmail\.yaml/);
  });
});
