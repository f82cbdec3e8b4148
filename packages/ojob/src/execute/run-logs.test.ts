import { join } from "node:path";
import { type LogItem, openJobManager } from "@ojm/core";
import { describe, expect, test } from "vitest";
import { type Ran, runText } from "../testing/run-file.js";

const MANAGED = `  - name: Init
    to: oJobManager Init
    args: { chJobs: &db { type: sqlite, args: { file: ./data/jobs.db } }, chLocks: *db }
`;

const job = (exec: string, more = "lang: js"): string => `
include: [oJobManager.yaml]
jobs:
${MANAGED}
  - name: Job
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: import }
    ${more}
    exec: |
      ${exec.replaceAll("\n", "\n      ")}
todo: [Init, Job]
`;

/** The items of the log of the newest run of a name, as another manager reads them. */
async function itemsOf({ folder }: Ran, name = "import"): Promise<LogItem[]> {
  const store = { type: "sqlite", args: { file: join(folder, "data/jobs.db") } };
  await using manager = await openJobManager({ chJobs: store, chLocks: store, heartbeatThread: false });
  for await (const record of manager.history({ name, limit: 1 })) {
    const items: LogItem[] = [];
    for await (const item of manager.log(record.id, { progress: true })) items.push(item);
    return items;
  }
  return [];
}

async function linesOf(ran: Ran, name?: string): Promise<string[]> {
  return (await itemsOf(ran, name)).map((item) =>
    "text" in item ? `${item.level} ${item.text}` : JSON.stringify(item),
  );
}

test.each([
  ["exit 3", { code: 3 }],
  ["kill -9 $$", { signal: "SIGKILL" }],
])("the record of a job whose shell script failed says how the script ended: %s", async (code, exit) => {
  const { folder } = await runText(job(code, "lang: shell"));
  const store = { type: "sqlite", args: { file: join(folder, "data/jobs.db") } };
  await using manager = await openJobManager({ chJobs: store, chLocks: store, heartbeatThread: false });
  for await (const record of manager.history({ name: "import" }))
    expect(record).toMatchObject({ status: "failed", exit });
  expect.assertions(1);
});

describe("the log of a run has what its job prints", () => {
  test("lines with their levels, printed text, and console", async () => {
    const code = `log("one"); logWarn("two"); logErr("three\\nfour")
print("five"); printnl("si"); printnl("x"); print(); printErr("seven"); console.log("eight")`;
    expect(await linesOf(await runText(job(code)))).toEqual([
      ...["info one", "warn two", "error three", "error four"],
      ...["stdout five", "stdout six", "stderr seven", "stdout eight"],
    ]);
  });

  test("the output of a shell script and of sh, but for the map that a shell script returns", async () => {
    const shell = await runText(job(`echo out; echo err >&2; echo '{"a": 1}'`, "lang: shell"));
    expect((await linesOf(shell)).toSorted()).toEqual(["stderr err", "stdout out"]);
    expect(await linesOf(await runText(job(`sh("echo from sh")`)))).toEqual(["stdout from sh"]);
  });

  test("a shortcut's lines, and those of a job that its script calls", async () => {
    const helper = "  - { name: Helper, exec: log('helps') }\ntodo:";
    const yaml = job(`$job("Helper")`)
      .replace("to: oJobManager Job End", 'to: [{ "(log)": a shortcut }, oJobManager Job End]')
      .replace("todo:", helper);
    const ran = await runText(yaml);
    expect(await linesOf(ran)).toEqual(["info helps", "info a shortcut"]);
  });

  test("what the jobs of another job file print, and why they failed, also two files deep", async () => {
    const outer = job("args.x = 1")
      .replace("from: oJobManager Job Start", "from: [oJobManager Job Start, Middle]")
      .replace("todo:", "  - { name: Middle, type: jobs, typeArgs: { file: middle.yaml } }\ntodo:");
    const files = {
      "middle.yaml": "jobs: [{ name: M, type: jobs, typeArgs: { file: inner.yaml } }]\ntodo: [M]\n",
      "inner.yaml": `jobs: [{ name: I, exec: 'log("deep"); throw new Error("the disk is full")' }]\ntodo: [I]\n`,
    };
    const ran = await runText(outer, {}, files);
    const [first, second] = await linesOf(ran);
    expect([first, second]).toEqual(["info deep", expect.stringMatching(/^error job "I" failed: the disk is full/)]);
  });

  test.each([
    [
      "node",
      'job.log.info("one", { a: 1 }); job.log.warn("two\\nthree"); job.log.error({ b: 2 }); job.progress(1, 2, job.name)',
    ],
    [
      "python",
      'job.log.info("one", { "a": 1 })\njob.log.warn("two\\nthree")\njob.log.error({ "b": 2 })\njob.progress(1, 2, job.name)',
    ],
  ])("what a script in %s reports by job.log and job.progress", async (lang, code) => {
    const ran = await runText(job(code, `lang: ${lang}`));
    expect((await linesOf(ran)).toSorted()).toEqual([
      ...['error {"b":2}', 'info one {"a":1}', "warn three", "warn two"],
      expect.stringMatching(/"done":1,"total":2,"text":"Job"/),
    ]);
    expect(ran.out).toContain('| INFO  | one {"a":1}\n');
  });

  test("why the job failed, and a step after which it continued", async () => {
    const failed = await linesOf(await runText(job(`throw new Error("the disk is full")`)));
    expect(failed[0]).toMatch(/^error job "Job" failed: .*the disk is full/);
    const goesOn = await linesOf(await runText(job("throw 1", "typeArgs: { step: { continueOnError: true } }")));
    expect(goesOn).toEqual([expect.stringMatching(/^warn the script of "Job" failed, and the job continues/)]);
  });

  test("nothing from before its start and after its end", async () => {
    const yaml = job("log('in it')")
      .replace("from: oJobManager Job Start", "from: [Before, oJobManager Job Start]")
      .replace("to: oJobManager Job End", "to: [oJobManager Job End, After]")
      .replace("todo:", "  - { name: Before, exec: log('before') }\n  - { name: After, exec: log('after') }\ntodo:");
    const ran = await runText(yaml);
    expect(ran.lines).toEqual(["before", "in it", "after"]);
    expect(await linesOf(ran)).toEqual(["info in it"]);
  });

  test("each of two runs that are open in one job gets its lines", async () => {
    const start = `$job("oJobManager Job Start", { name: "inner" }); log("both"); $job("oJobManager Job End", { name: "inner" }); log("one")`;
    const ran = await runText(job(start));
    expect(await linesOf(ran, "inner")).toEqual(["info both"]);
    expect(await linesOf(ran)).toEqual(["info both", "info one"]);
  });

  test("no secret, also one that comes in two pieces", async () => {
    const yaml = `ojob: { secrets: { pass: { env: OJM_TEST_PASS } } }\n${job(
      `log("it is " + args.pass); printnl("it is " + args.pass.slice(0, 5)); print(args.pass.slice(5)); job.log.info("x", { a: args.pass }); job.progress(1, 2, args.pass)`,
      "secrets: pass",
    )}`;
    process.env["OJM_TEST_PASS"] = "s3cret-word";
    const ran = await runText(yaml);
    expect((await linesOf(ran)).toSorted()).toEqual([
      ...["info it is ***", 'info x {"a":"***"}', "stdout it is ***"],
      expect.stringContaining('"text":"***"'),
    ]);
  });
});

test("job.log has four levels and fields, with a run and without", async () => {
  const code = `job.log.debug("a", { rows: 1 }); job.log.info("b\\nc"); job.log.warn({ d: 1 }); job.log.error("e", [1n])`;
  const ran = await runText(job(code));
  expect(await linesOf(ran)).toEqual(['debug a {"rows":1}', "info b", "info c", 'warn {"d":1}', 'error e ["1"]']);
  expect(ran.out).toContain('| DEBUG | a {"rows":1}\n');
  expect(ran.err).toContain('| ERROR | e ["1"]\n');
  const alone = await runText(
    `jobs: [{ name: A, exec: 'job.log.info("x", { y: 1 }); job.progress(1, 2); job.progress("no")' }]\ntodo: [A]`,
  );
  expect(alone.lines).toEqual(['x {"y":1}']);
});

test("job.progress is kept with the run, and shows nothing where the output is not a terminal", async () => {
  const ran = await runText(job(`for (let i = 1; i <= 2000; i++) job.progress(i, 2000, "rows"); job.progress(NaN)`));
  expect(ran.well).toBe(true);
  expect(await itemsOf(ran)).toEqual([
    { progress: { done: 2_000, total: 2_000, text: "rows", at: expect.any(Number) } },
  ]);
  expect(`${ran.out}${ran.err}`).not.toContain("rows");
});
