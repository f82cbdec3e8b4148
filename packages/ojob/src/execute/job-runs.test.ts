import { describe, expect, test } from "vitest";
import { type Ran, runText } from "../testing/run-file.js";

/** Runs a job with this script for these values of `n`, in four slots. */
function runMatrix(code: string, values: string, typeArgs = "{}", more = "todo: [Work]"): Promise<Ran> {
  return runText(`ojob: { numThreads: 4 }
jobs:
  - name: Work
    matrix: { n: [${values}] }
    typeArgs: ${typeArgs}
    exec: |
${code.replace(/^/gm, "      ")}
${more}
`);
}

/** The first run fails once the second is running. The second runs until it is stopped. */
const SECOND_WAITS = `if (args.n == 1) { while (!$get("two")) sleep(5); throw "boom"; }
if (args.n == 2) { $set("two", true); while (true) sleep(5); }
log("ran " + args.n);`;

describe("a job with a matrix", () => {
  test("a job with a matrix runs once for each combination, with its values among the args", async () => {
    const yaml = `jobs:
  - name: Build
    matrix:
      os: [linux, mac]
      version: [1, 2]
      exclude: [{ os: mac, version: 1 }]
      include: [{ os: linux, flag: x }]
    args: { what: "{{os}}-{{version}}" }
    exec: log([args.what, typeof args.version, args.flag || "-"].join(" "))
todo: [Build]
`;
    const { well, lines, err } = await runText(yaml);
    expect(well).toBe(true);
    expect([...lines].sort()).toEqual(["linux-1 number x", "linux-2 number x", "mac-2 number -"]);
    expect(err).toMatch(/^>> Build \(linux, 1, x\)$/m);
    expect(err).toMatch(/^<< Build \(mac, 2\): done/m);
  });

  test("as many runs of a job run at once as maxParallel says, and no more", async () => {
    const { lines } = await runMatrix(
      `log("in");
if (args.n < 2) { $set("here" + args.n, true); while (!$get("here" + (1 - args.n))) sleep(5); }
log("out");`,
      "0, 1, 2, 3, 4, 5",
      "{ maxParallel: 2 }",
    );
    let within = 0;
    const depths = lines.map((line) => (within += line === "in" ? 1 : -1));
    expect(lines).toHaveLength(12);
    expect(Math.max(...depths)).toBe(2);
  });

  test("a failure stops the running runs, and the others do not start: each is reported, and they are counted", async () => {
    const { well, lines, err } = await runMatrix(SECOND_WAITS, "1, 2, 3, 4", "{ maxParallel: 2 }");
    expect([well, lines]).toEqual([false, []]);
    expect(err).toMatch(/job "Work \(1\)" failed: boom/);
    expect(err).toMatch(/job "Work \(2\)" failed: .*the job was asked to stop: another run of "Work" failed/);
    expect(err).toMatch(/^-- Work \(3\): skipped, another run of "Work" failed\n-- Work \(4\): skipped, another/m);
    expect(err).toMatch(/ERROR \| "Work": 4 runs, 1 failed, 1 stopped, 2 not started$/m);
  });

  test("with failFast: false, a failure stops no other run", async () => {
    const { well, lines, err } = await runMatrix(
      'if (args.n == 1) throw "boom"; log("ran " + args.n)',
      "1, 2, 3",
      "{ maxParallel: 1, failFast: false }",
    );
    expect([well, lines]).toEqual([false, ["ran 2", "ran 3"]]);
    expect(err).toMatch(/ERROR \| "Work": 3 runs, 1 failed, 2 completed$/m);
  });

  test("jobs that depend on a job with a matrix wait for all of its runs", async () => {
    const after = "  - { name: After, deps: Work, exec: log('after') }\ntodo: [After, Work]";
    const all = await runMatrix("sleep(20 - args.n); log('ran')", "1, 2, 3, 4, 5, 6", "{}", after);
    expect([all.well, all.lines]).toEqual([true, [...Array(6).fill("ran"), "after"]]);
    const one = await runMatrix(SECOND_WAITS, "1, 2", "{}", after);
    expect([one.well, one.lines]).toEqual([false, []]);
    expect(one.err).toMatch(/job "After" was skipped: it depends on "Work", which failed/);
  });

  test("the caller of a job with a matrix gets the failure that stopped the others", async () => {
    const call = `  - { name: Call, exec: "try { $job('Work', {}) } catch (e) { log(String(e.message || e)) }" }\ntodo: [Call]`;
    expect((await runMatrix(SECOND_WAITS, "2, 1, 3", "{}", call)).lines.filter((line) => !/^ran/.test(line))).toEqual([
      expect.stringContaining("boom"),
    ]);
  });

  test("a run that is stopped is recorded as cancelled, and the one that failed as failed", async () => {
    const yaml = `include: oJobManager.yaml
ojob: { numThreads: 4 }
jobs:
  - name: Work
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    matrix: { n: [1, 2] }
    args: { name: "work-{{n}}" }
    exec: |
${SECOND_WAITS.replace(/^/gm, "      ")}
  - name: Show
    exec: $ch("oJobManager-jobs").getAll().forEach(r => log([r.name, r.status, r.error].join(" ")))
todo: [Work, Show]
`;
    const { lines } = await runText(yaml);
    expect([...lines].sort()).toEqual([
      expect.stringMatching(/^work-1 failed .*boom/),
      expect.stringMatching(/^work-2 cancelled .*another run of "Work" failed/),
    ]);
  });

  test("lines in JSON have the name of the job, and that of the run beside it", async () => {
    const yaml = `ojob: { log: { format: json } }
jobs: [{ name: A, matrix: { n: [1] }, exec: "throw 'boom'" }]
todo: [A]
`;
    const lines = (await runText(yaml)).err
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { event: "started", job: "A", run: "A (1)" },
      { level: "ERROR", job: "A", message: expect.stringMatching(/^job "A \(1\)" failed: boom/) },
      { event: "failed", job: "A", run: "A (1)" },
    ]);
  });

  test("a secret value of a matrix is masked in the names of its runs", async () => {
    const yaml = `jobs: [{ name: A, matrix: { token: [abc], os: [x] }, exec: log('ran') }]\ntodo: [A]\n`;
    const { err } = await runText(yaml);
    expect(err).toMatch(/^>> A \(\*\*\*, x\)$/m);
    expect(err).not.toContain("abc");
  });
});

describe("a job with a list of args", () => {
  const list = (typeArgs: string): string => `ojob: { numThreads: 2 }
jobs:
  - name: A
    typeArgs: ${typeArgs}
    args: [{ n: 1 }, { n: 2 }, { n: 3 }]
    exec: "if (args.n == 1) throw 'boom'; log('ran ' + args.n)"
todo: [A]
`;

  test("a failure stops no other run of a list of args, as in OpenAF", async () => {
    const { well, lines } = await runText(list("{ maxParallel: 1 }"));
    expect([well, lines]).toEqual([false, ["ran 2", "ran 3"]]);
  });

  test.each(["{ maxParallel: 1, failFast: true }", "{ single: true }"])(
    "a failure keeps the rest of a list of args from starting, with %s",
    async (typeArgs) => {
      const { well, lines, err } = await runText(list(typeArgs));
      expect([well, lines]).toEqual([false, []]);
      expect(err).toMatch(/^-- A: skipped, another run of "A" failed$/m);
      expect(err).toMatch(/"A": 3 runs, 1 failed, 2 not started$/m);
    },
  );
});
