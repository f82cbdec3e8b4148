import { join } from "node:path";
import { openJobManager, type RunRecord } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { collect } from "../../../core/src/testing/settle.js";
import type { RunFileOptions } from "../run.js";
import { runText } from "../testing/run-file.js";

/** A script that counts its tries under a name, and fails until the `well`th. */
const failing = (name: string, well: number): string => `|
      const n = ($get("${name}") || 0) + 1; $set("${name}", n); log("try " + n);
      if (n < ${well}) throw new Error("broken");`;

const LOOK = `  - name: Look
    type: shutdown
    exec: |
      for (const r of $ch("oJobManager-jobs").getAll().reverse())
        if (r.name === init.lock) log(["record", r.status, r.attempt || "-", r.trigger, r.error || ""].join(" "));`;

/** A managed job with these settings, and the records of its runs at the end. Each lock has its own name. */
function managed(lock: string, typeArgs: string, exec: string, more = "", todo = "A"): string {
  return `include: oJobManager.yaml
init: { lock: ${lock} }
jobs:
  - name: A
    typeArgs: ${typeArgs}
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: ["log('caught ' + exception.message)", oJobManager Error]
    args: { name: ${lock} }
    exec: ${exec}
${more}
${LOOK}
todo: [${todo}, Look]
`;
}

const RETRY = "{ retry: { attempts: 3, delay: 20 } }";
const again = (attempt: number, of = 3, ms = 20): string =>
  `"A" failed at attempt ${attempt} of ${of}, and is tried again in ${ms} ms`;

describe("a managed job with retry", () => {
  test("a job that fails is tried again, each attempt has a record, and the file ends well", async () => {
    const { well, lines } = await runText(managed("twice", RETRY, failing("t", 2)));
    expect(lines).toEqual([
      "try 1",
      "caught broken",
      again(1),
      "try 2",
      "record failed 1 manual broken",
      "record completed 2 manual ",
    ]);
    expect(well).toBe(true);
  });

  test("a job that fails at each attempt fails, and retry may be the number of attempts", async () => {
    const { well, lines, err } = await runText(
      managed("never", "{ retry: { attempts: 2, delay: 20, backoff: fixed } }", failing("n", 9)),
    );
    expect([well, lines.filter((line) => line.startsWith("record"))]).toEqual([
      false,
      ["record failed 1 manual broken", "record failed 2 manual broken"],
    ]);
    expect(err.match(/job "A" failed: broken/g)).toHaveLength(2);
  });

  test("a job that is skipped is not tried again", async () => {
    const { well, lines } = await runText(managed("skips", RETRY, "job.skip('nothing new')"));
    expect([well, lines]).toEqual([true, ["record skipped 1 manual nothing new"]]);
  });

  test("a job whose lock is taken fails as without retry: its catch runs, at the place of its step", async () => {
    const more = `  - { name: Other, from: oJobManager Job Start, args: { name: taken }, exec: "$job('A')" }`;
    const { well, lines, err } = await runText(managed("taken", RETRY, "log('ran')", more, "Other"));
    expect(well).toBe(false);
    expect(lines[0]).toMatch(/^caught Can't lock to execute job 'taken': held by/);
    expect(err).toMatch(/Can't lock to execute job 'taken'/);
  });

  test("a job that is launched or called is tried again", async () => {
    const launch = `  - { name: L, exec: "oJobManagerLaunchJob('A')" }`;
    const launched = await runText(managed("launched", RETRY, failing("l", 2), launch, "L"));
    expect([launched.well, launched.lines.slice(-2)]).toEqual([
      true,
      ["record failed 1 launch broken", "record completed 2 launch "],
    ]);
    const call = `  - { name: C, exec: "$job('A'); log('called')" }`;
    const called = await runText(managed("called", RETRY, failing("c", 2), call, "C"));
    expect([called.well, called.lines.slice(-3)]).toEqual([
      true,
      ["called", "record failed 1 manual broken", "record completed 2 manual "],
    ]);
  });

  test("a stop between two attempts ends the job at once, and leaves the attempt in the store", async () => {
    const left = `$ch("oJobManager-locks").getKeys().filter((k) => k[0] === "retry" && k[1] === "stopped").length`;
    const more = `  - name: Stop
    exec: |
      while (${left} === 0) sleep(20);
      process.kill(process.pid, "SIGUSR2");
  - { name: Left, type: shutdown, exec: 'log("left " + ${left})' }`;
    const retry = "{ retry: { attempts: 3, delay: 3600000 } }";
    const yaml = managed("stopped", retry, "throw 'broken'", more, "A, Stop, Left").replace(
      "jobs:\n",
      "ojob: { async: true }\njobs:\n",
    );
    const { well, lines } = await runText(yaml, {
      onStart: (control) => void process.removeAllListeners("SIGUSR2").on("SIGUSR2", () => control.stop("SIGTERM")),
    });
    expect(well).toBe(false);
    expect(lines).toContain("left 1");
    const stays =
      /^"A": its next attempt stays in the store, and is made when the job is started again\. To cancel it: ojm cancel stopped$/;
    expect(lines.filter((line) => stays.test(line))).toHaveLength(1);
  });
});

describe("a job with retry and no run that the store knows", () => {
  const plain = (typeArgs: string, exec: string): string => `jobs:
  - name: A
    typeArgs: ${typeArgs}
    exec: ${exec}
todo: A
`;

  test("a job without a lock is tried again in its process, with the same delays", async () => {
    const { well, lines } = await runText(plain(RETRY, failing("p", 3)));
    expect([well, lines]).toEqual([true, ["try 1", again(1), "try 2", again(2, 3, 40), "try 3"]]);
  });

  test("others use the slot of a job that waits for its next attempt", async () => {
    const yaml = `ojob: { numThreads: 1, async: true }
jobs:
  - { name: A, typeArgs: { retry: { attempts: 2, delay: 400 } }, exec: "if (isUnDef($get('b'))) throw 1; log('A ' + $get('b'))" }
  - { name: B, exec: "$set('b', 'after B')" }
todo: [A, B]
`;
    const { well, lines } = await runText(yaml);
    expect([well, lines.at(-1)]).toEqual([true, "A after B"]);
  });

  test("each run of a matrix is tried again by itself", async () => {
    const yaml = `jobs:
  - name: A
    matrix: { x: [1, 2] }
    typeArgs: { retry: { attempts: 2, delay: 10 } }
    exec: "const n = ($get('m' + args.x) || 0) + 1; $set('m' + args.x, n); if (n < 2) throw 1; log('done ' + args.x)"
todo: A
`;
    const { well, lines } = await runText(yaml);
    expect([well, lines.filter((line) => line.startsWith("done")).toSorted()]).toEqual([true, ["done 1", "done 2"]]);
  });

  test("a job whose name a script decides is tried again too, each time under its lock", async () => {
    const yaml = managed("by-script", RETRY, failing("s", 2))
      .replace("    from: oJobManager Job Start\n", "    from: [Name, oJobManager Job Start]\n")
      .replace("    args: { name: by-script }\n", "")
      .replace("jobs:\n", "jobs:\n  - { name: Name, exec: args.name = 'by-script' }\n");
    const { well, lines } = await runText(yaml);
    expect([well, lines.filter((line) => line.startsWith("record"))]).toEqual([
      true,
      ["record failed - manual broken", "record completed - manual "],
    ]);
  });
});

const STOP = 'process.kill(process.pid, "SIGUSR2")';

function stopping(): Pick<RunFileOptions, "onStart"> {
  return {
    onStart: (control) => {
      process.removeAllListeners("SIGUSR2").on("SIGUSR2", () => control.stop("SIGTERM"));
    },
  };
}

/** The contents of the store of a job file after a stop. */
interface Left {
  readonly records: readonly RunRecord[];
  /** The numbers of the pending attempts. */
  readonly waiting: readonly number[];
  /** How many of them are assigned to no process: any process may make them. */
  readonly free: number;
  readonly lines: readonly string[];
}

/** Runs a managed job and stops it meanwhile. Its locks and records are in an SQLite file. */
async function stopped(retry: string, exec: string, options: Partial<RunFileOptions> = {}): Promise<Left> {
  const file = join(folderWith({}), "ojm.db");
  const channel = `{ type: sqlite, args: { file: ${JSON.stringify(file)} } }`;
  const yaml = `include: oJobManager.yaml
jobs:
  - name: Init
    to: oJobManager Init
    args: { chJobs: ${channel}, chLocks: ${channel} }
  - name: A
    typeArgs: { retry: ${retry} }
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: work }
    exec: |
      ${exec}
todo: [Init, A]
`;
  const { lines, err } = await runText(yaml, { ...stopping(), ...options });
  const store = { type: "sqlite", args: { file } };
  await using manager = await openJobManager({ chJobs: store, chLocks: store });
  const retries = await manager.retries("work");
  return {
    records: await collect(manager.history({ name: "work" })),
    waiting: retries.map(({ attempt }) => attempt),
    free: retries.filter(({ by }) => by === undefined).length,
    lines: [...lines, err],
  };
}

describe("a job file that is stopped", () => {
  test("hands over a job with onLost that stops in time: the same attempt is there for another process", async () => {
    const { records, waiting, free, lines } = await stopped(
      "{ attempts: 2, onLost: true }",
      `${STOP}; try { sleep(60000) } finally { log("cleaned up") }`,
    );
    expect(lines).toContain("cleaned up");
    expect(records).toMatchObject([{ status: "skipped", handedOver: true, inError: false, attempt: 1 }]);
    expect([waiting, free]).toEqual([[1], 1]);
  });

  test("ends a job by force after the grace: its run is lost, and uses an attempt", async () => {
    const { records, waiting } = await stopped("{ attempts: 2, onLost: true }", `${STOP}; for (;;) {}`, { grace: 200 });
    expect(records).toMatchObject([{ status: "lost", attempt: 1 }]);
    expect(waiting).toEqual([2]);
  });

  test("leaves an attempt that waits to any process, and makes none while it is stopped", async () => {
    const { records, waiting, free } = await stopped(
      "{ attempts: 3, delay: 60000 }",
      `setTimeout(() => {}, 0); ${STOP}; throw new Error("broken")`,
    );
    expect(records.map(({ status }) => status)).toEqual(["failed"]);
    expect([waiting, free]).toEqual([[2], 1]);
  });
});
