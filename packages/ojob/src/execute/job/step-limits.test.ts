import { existsSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile } from "../../index.js";
import { type Ran, runText } from "../../testing/run-file.js";
import { JobFileError } from "../../text/problem.js";

/** All files of this process share the store in memory, so each file uses its own names. */
let count = 0;

/** A job `A` with these keys, beside the jobs `Bad`, which fails, `Slow`, which never ends, and `Next`. */
function file(keys: string, more = ""): string {
  return `include: oJobManager.yaml
jobs:
  - name: A
    ${keys}
  - { name: Bad, exec: "args.left = 1; throw new Error('bad')" }
  - { name: Slow, exec: "args.left = 1; for (;;) {}" }
  - { name: Next, exec: "log('next ' + stringify(args, undefined, ''))" }
  - name: Show
    exec: |
      for (const { name, status, error, result } of $from($ch("oJobManager-jobs").getAll()).sort("name").select())
        if (name.startsWith("r${count}-")) log([name.slice(-1), status, error, result?.warnings].join(", "));
${more}todo: [A, Show]
`;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The warnings in the log. */
function warnings({ out }: Ran): string[] {
  return out.split("\n").flatMap((line) => / \| WARN {2}\| (.*)/.exec(line)?.[1] ?? []);
}

describe("timeout of a step", () => {
  test.each([
    ["a job in JavaScript", "from: { name: Slow, timeout: 100 }", 'the step "Slow" of "A"'],
    ["a job in shell", "to: [{ name: Sh, timeout: 100 }]", 'the step "Sh" of "A"'],
    ["the script", "typeArgs: { step: { timeout: 100 } }\n    exec: for (;;) {}", 'the script of "A"'],
  ])("a timeout ends %s, and the job fails", async (_, keys, name) => {
    const sh = "  - { name: Sh, lang: shell, exec: sleep 1000 }\n";
    const { well, lines, err } = await runText(file(`${keys}\n    catch: log(exception.code)`, sh));
    expect([well, lines[0]]).toEqual([false, "TIMEOUT"]);
    expect(err).toContain(`job "A" failed: ${name} took longer than its timeout of 100 ms`);
  });

  test("a shell command of a step that was ended is over before the next step begins", async () => {
    const pid = join(folderWith({}), "pid");
    const command = `trap 'sleep 2; exit' TERM; echo $$ > ${pid}.new; mv ${pid}.new ${pid}; while :; do sleep 0.01; done`;
    const more = `  - name: Sh
    typeArgs: { stopWhen: "return require('fs').existsSync('${pid}')" }
    exec: ${JSON.stringify(`sh(${JSON.stringify(command)})`)}
  - { name: Look, exec: "try { process.kill(Number(require('fs').readFileSync('${pid}', 'utf8')), 0); log('lives') } catch (e) { log(e.code) }" }
`;
    const { lines } = await runText(file("from: [{ name: Sh, continueOnError: true }, Look]", more));
    expect(lines[1]).toBe("ESRCH");
  });

  test("a timeout leaves a step alone that is done in time, and the steps after it", async () => {
    const { well, lines } = await runText(
      file("from: [{ name: Next, timeout: 60000 }, Next]\n    args: { a: 1 }\n    exec: log('A')"),
    );
    expect([well, lines]).toEqual([true, ['next {"a":1}', 'next {"a":1}', "A"]]);
  });

  test("a step has args of its own beside its limits, and they are for that step alone", async () => {
    const bad = "{ name: Bad, args: { left: 0, x: 5 }, timeout: 60000, continueOnError: true }";
    const slow = "{ job: Slow, args: { x: 5 }, timeout: 100, continueOnError: true }";
    const { well, lines } = await runText(
      file(`from: [${bad}, ${slow}, { name: Next, args: { a: 2 }, timeout: 60000 }]
    args: { a: 1 }
    to: Next`),
    );
    expect(well).toBe(true);
    expect(lines.filter((line) => line.startsWith("next"))).toEqual(['next {"a":2}', 'next {"a":1}']);
  });

  test("a timeout ends what the shortcuts of a step do, and the job continues", async () => {
    const more = "  - { name: Wait, from: [{ (wait): 600000 }] }\n  - { name: Calls, from: { (todo): [Slow] } }\n";
    const keys = "from: [Wait, Calls]".replace(/Wait|Calls/g, "{ name: $&, timeout: 100, continueOnError: true }");
    const ran = await runText(file(`${keys}\n    to: Next`, more));
    expect([ran.well, ran.lines.at(-1)]).toEqual([true, "next {}"]);
    expect(warnings(ran)).toEqual(
      ["Wait", "Calls"].map((name) => expect.stringContaining(`the step "${name}" of "A" took longer than`)),
    );
  });

  test("a timeout ends the wait for a lock, with its own reason", async () => {
    const yaml = `ojob: { async: true }
jobs:
  - { name: H, typeArgs: { lock: w }, exec: "$set('held', 1); while (isUnDef($get('late'))) sleep(5)" }
  - { name: W, typeArgs: { lock: w } }
  - { name: A, from: { name: W, timeout: 100 }, catch: "$set('late', 1); log(exception.message)" }
todo: [H, { name: A, when: "while (isUnDef($get('held'))) sleep(5); return true" }]
`;
    expect((await runText(yaml)).lines).toEqual(['the step "W" of "A" took longer than its timeout of 100 ms']);
  });
});

describe("continueOnError of a step", () => {
  test("the job continues, the failure is logged, and no catch of the job runs", async () => {
    const ran = await runText(
      file('from: { name: Bad, continueOnError: true }\n    to: Next\n    catch: log("caught")'),
    );
    expect([ran.well, ran.lines]).toEqual([true, [expect.stringMatching(/^the step/), 'next {"left":1}']]);
    expect(warnings(ran)).toEqual([
      expect.stringMatching(/^the step "Bad" of "A" failed, and the job continues: bad \(.*jobs\.yaml:7:46\)$/),
    ]);
    expect(ran.err).not.toMatch(/failed/);
  });

  test("a catch of the step itself runs", async () => {
    const more = "  - { name: C, exec: throw 'x', catch: \"log('caught ' + exception)\" }\n";
    const { lines } = await runText(file("from: { name: C, continueOnError: true }", more));
    expect(lines.slice(0, 2)).toEqual(["caught x", expect.stringMatching(/^the step "C"/)]);
  });

  test("with a timeout, the next step finds the args as the step that was ended found them", async () => {
    const ran = await runText(
      file("args: { a: 1 }\n    from: [{ name: Slow, timeout: 100, continueOnError: true }, Next]\n    exec: log('A')"),
    );
    expect([ran.well, ran.lines.slice(1)]).toEqual([true, ['next {"a":1}', "A"]]);
    expect(warnings(ran)[0]).toMatch(/took longer than its timeout of 100 ms/);
  });

  test("of the script, by typeArgs.step", async () => {
    const step = "typeArgs: { step: { continueOnError: true } }";
    const ran = await runText(file(`${step}\n    exec: "args.b = 2; throw new Error('bad')"\n    to: Next`));
    expect([ran.well, ran.lines[1]]).toEqual([true, 'next {"b":2}']);
    expect(warnings(ran)[0]).toMatch(/^the script of "A" failed, and the job continues: bad/);
  });

  test("the arguments of the failed step's job stay, as after a step that went well", async () => {
    const more = '  - { name: Own, args: { a: own }, exec: "args.b = args.a; throw 1" }\n';
    const keys = "args: { a: 1 }\n    from: [{ name: Own, continueOnError: true }, Next]";
    expect((await runText(file(keys, more))).lines[1]).toBe('next {"a":"own","b":"own"}');
  });

  test("job.skip ends the whole job all the same", async () => {
    const more = "  - { name: Skip, exec: job.skip('no') }\n";
    const { err, lines } = await runText(file("from: { name: Skip, continueOnError: true }\n    to: Next", more));
    expect(lines).toEqual([]);
    expect(err).toMatch(/^-- A: skipped, no$/m);
  });

  test("the timeout of the job, or a stop, ends the job, and the job does not continue after it", async () => {
    const keys = "typeArgs: { timeout: 100 }\n    from: [{ name: Slow, continueOnError: true }, Next]";
    const { well, lines, err } = await runText(file(keys));
    expect([well, lines]).toEqual([false, []]);
    expect(err).toMatch(/"A" took longer than its timeout of 100 ms/);
    const mark = join(folderWith({}), "mark");
    const wait = `  - { name: Wait, exec: "require('fs').writeFileSync('${mark}', ''); sleep(60000)" }\n`;
    const stopped = await runText(file("from: [{ name: Wait, continueOnError: true }, Next]", wait), {
      onStart: (control) => void until(() => existsSync(mark)).then(() => control.stop("test")),
    });
    expect([stopped.well, stopped.lines]).toEqual([false, []]);
  });

  test("a timeout of the step's own typeArgs is one of its failures", async () => {
    const more = '  - { name: T, typeArgs: { timeout: 100 }, exec: "for (;;) {}" }\n';
    const { well, lines } = await runText(file("from: [{ name: T, continueOnError: true }, Next]", more));
    expect([well, lines[1]]).toEqual([true, "next {}"]);
  });
});

test("a script after a step that was ended while no script ran gets a thread that lives", async () => {
  const yaml = `ojob: { async: true }
jobs:
  - { name: H, typeArgs: { lock: w2 }, exec: "$set('held', 1); while (isUnDef($get('done'))) sleep(5)" }
  - { name: W, typeArgs: { lock: w2 } }
  - { name: S, exec: "log('script')" }
  - { name: A, from: [S, { name: W, timeout: 100, continueOnError: true }, S], exec: "$set('done', 1)", catch: "$set('done', 1)" }
todo: [H, { name: A, when: "while (isUnDef($get('held'))) sleep(5); return true" }]
`;
  const { well, lines } = await runText(yaml);
  expect([well, lines]).toEqual([true, ["script", expect.stringMatching(/and the job continues$/), "script"]]);
});

describe("continueOnError in a managed job", () => {
  const HELD =
    "code: { c: \"exports.held = (name) => $ch('oJobManager-locks').get(['lock', name]) !== undefined\" }\nojob: { loads: c }\n";
  const managed = (from: string, more: (name: string) => string = () => ""): string => {
    const name = `r${++count}-`;
    const keys = `from: [oJobManager Job Start, ${from}]\n    args: { name: ${name}a }\n    exec: log(held("${name}a"))`;
    return HELD + file(keys, more(name));
  };

  test("the lock stays held, and the record of the completed run names the failure", async () => {
    const { well, lines } = await runText(managed("{ name: Bad, continueOnError: true }"));
    expect(well).toBe(true);
    expect(lines[1]).toBe("true");
    expect(lines[2]).toMatch(/^a, completed, , the step "Bad" of "A" failed, and the job continues: bad \(/);
  });

  test("a catch of the step that fails all runs leaves those of the job alone", async () => {
    const more = (): string => "  - { name: C, exec: throw 'x', catch: oJobManager Error }\n";
    const { well, lines } = await runText(managed("{ name: C, continueOnError: true }", more));
    expect([well, lines[1]]).toEqual([true, "true"]);
  });

  test("a run that the step has started is closed as failed, and its lock is free", async () => {
    const more = (name: string): string => `  - name: Inner
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: ${name}i }
    exec: throw new Error("bad")
  - { name: Free, exec: "log('inner ' + held('${name}i'))" }
`;
    const { lines } = await runText(managed("{ name: Inner, continueOnError: true }, Free", more));
    expect(lines.slice(1)).toEqual([
      "inner false",
      "true",
      expect.stringMatching(/^a, completed, /),
      "i, failed, bad, ",
    ]);
  });

  test("a step that ends the run of the job, and fails then, fails the job: the lock is gone", async () => {
    const more = (): string => "  - { name: End, to: [oJobManager Job End, Bad] }\n";
    const { well, lines } = await runText(managed("{ name: End, continueOnError: true }", more));
    expect([well, lines.filter((line) => line === "true" || line === "false")]).toEqual([false, []]);
  });

  test("the timeout of the run ends the job, though a step may fail", async () => {
    const slow = managed("{ name: Slow, continueOnError: true }").replace("a }", "a, timeout: 200 }");
    const { well, lines } = await runText(slow);
    expect([well, lines]).toEqual([false, [expect.stringMatching(/^a, timeout, /)]]);
  });

  test.each([
    ["oJobManager Job Start", ""],
    ["Lock", "  - { name: Lock, from: oJobManager Job Start, args: { name: a } }\n"],
  ])("a step that takes the lock of the job must not fail: %s", async (name, more) => {
    const yaml = file(`from: { name: ${name}, continueOnError: true }\n    args: { name: a }`, more);
    const failed = checkJobFile(`${folderWith({ "jobs.yaml": yaml })}/jobs.yaml`);
    await expect(failed).rejects.toThrow(JobFileError);
    await expect(failed).rejects.toThrow(
      /it takes the lock of "A", which would continue without the lock\. Leave it out\./,
    );
  });
});

test("wrong options of a step are errors at their place", async () => {
  const yaml = file('from: { name: Bad, timeout: 1h, continueOnError: "yes", tries: 3 }');
  const error: unknown = await checkJobFile(`${folderWith({ "jobs.yaml": yaml })}/jobs.yaml`).catch((thrown) => thrown);
  const problems = error instanceof JobFileError ? error.problems : [];
  expect(problems.map(({ message }) => message)).toEqual([
    '"timeout" must be a whole number of milliseconds, 1 or more, not the text "1h".',
    '"continueOnError" must be true or false, not the text "yes".',
    'unknown key "tries" in "from": it has no effect.',
  ]);
});

function job(typeArgs: string, code: string, more = ""): string {
  return `jobs:
  - name: A
    typeArgs: { ${typeArgs} }
    ${more}
    exec: |
      ${code}
  - { name: B, exec: "log('B')" }
todo: [A, B]
`;
}

describe("timeout of a job", () => {
  test.each(["for (;;) {}", "sleep(60000)", "await new Promise((r) => setTimeout(r, 60000))"])(
    "a timeout ends the job: %s",
    async (code) => {
      const { well, lines, err } = await runText(job("timeout: 100", code, "catch: log(exception.code)"));
      expect([well, lines]).toEqual([false, ["TIMEOUT", "B"]]);
      expect(err).toMatch(/job "A" failed: "A" took longer than its timeout of 100 ms/);
    },
  );

  test("a timeout of a step ends that step, and the job of the step can catch it", async () => {
    const yaml = `jobs:
  - { name: S, typeArgs: { timeout: 100 }, exec: "for (;;) {}" }
  - { name: A, from: S, exec: "log('A')", catch: "log('caught ' + exception.code)" }
todo: [A]
`;
    expect((await runText(yaml)).lines).toEqual(["caught TIMEOUT"]);
  });

  test("a timeout leaves a job alone that is done in time", async () => {
    const { well, lines } = await runText(job("timeout: 60000", "log('A')"));
    expect([well, lines]).toEqual([true, ["A", "B"]]);
  });
});

describe("stopWhen of a job", () => {
  test("a stopWhen that returns true ends the job as cancelled", async () => {
    const code = "$set('go', args.ok); for (;;) {}";
    const yaml = job(
      "stopWhen: \"return $get('go') == args.ok\"",
      code,
      "args: { ok: 5 }\n    catch: log(exception.code)",
    );
    const { well, lines, err } = await runText(yaml);
    expect([well, lines]).toEqual([false, ["CANCELLED", "B"]]);
    expect(err).toMatch(/job "A" failed: the stopWhen of "A" ended it/);
  });

  test("a stopWhen sees what the job sets in global, as soon as the job sleeps", async () => {
    const yaml = job(
      'stopWhen: "return global.done === true"',
      "global.done = true; for (;;) sleep(10)",
      "catch: log(exception.code)",
    );
    const { well, lines } = await runText(yaml);
    expect([well, lines]).toEqual([false, ["CANCELLED", "B"]]);
  });

  test("a stopWhen that fails ends the job too", async () => {
    const { well, err } = await runText(job('stopWhen: "nowhere()"', "for (;;) {}"));
    expect(well).toBe(false);
    expect(err).toMatch(/job "A" failed: the stopWhen of "A" failed: .*nowhere is not defined/);
  });
});

describe("lock of a job", () => {
  const locked = (lock: string): string => `ojob: { async: true }
include: oJobManager.yaml
jobs:
  - { name: Make, exec: "$ch('mine').create()" }
  - { name: A, deps: Make, typeArgs: { ${lock} }, exec: "log('in'); sleep(40); log('out')" }
todo: [Make, A, A, A]
`;
  const inTurn = ["in", "out", "in", "out", "in", "out"];

  test.each(["lock: x", "lock: y, lockCh: mine", "lock: z, lockCh: oJobManager-locks"])(
    "jobs with the same lock run one after the other, even with async: %s",
    async (lock) => {
      const { well, lines } = await runText(locked(lock));
      expect([well, lines]).toEqual([true, inTurn]);
    },
  );

  test("the lock of a job keeps a managed job of that name out while the job runs, and is released then", async () => {
    const yaml = `include: oJobManager.yaml
jobs:
  - name: M
    from: oJobManager Job Start
    args: { name: runtime }
    exec: log("managed")
  - { name: A, typeArgs: { lock: runtime }, exec: "try { $job('M') } catch (e) { log(e.message) }" }
todo: [A, M]
`;
    const { lines } = await runText(yaml);
    expect(lines).toEqual([expect.stringMatching(/^Can't lock to execute job 'runtime': held by /), "managed"]);
  });

  test("a job that calls itself does not take its lock twice, and releases it when it fails", async () => {
    const yaml = `include: oJobManager.yaml
jobs:
  - name: A
    typeArgs: { lock: deep }
    exec: "if (args.n > 0) $job('A', { n: args.n - 1 }); log(args.n); if (args.n == 2) throw new Error('end')"
todo: [{ name: A, args: { n: 2 } }, { name: A, args: { n: 0 } }]
`;
    expect((await runText(yaml)).lines).toEqual(["0", "1", "2", "0"]);
  });

  test("a lock in a channel that was not created fails the job, and the error says so", async () => {
    const { err } = await runText(job("lock: x, lockCh: nowhere", "log(1)"));
    expect(err).toMatch(/job "A" failed: there is no channel "nowhere"/);
  });

  test("a job waits for its lock no longer than its timeout", async () => {
    const yaml = `ojob: { async: true }
jobs:
  - { name: H, typeArgs: { lock: w }, exec: "$set('held', 1); while (isUnDef($get('late'))) sleep(5)" }
  - { name: W, typeArgs: { lock: w, timeout: 100 }, exec: log('never'), catch: "$set('late', 1); log(exception.code)" }
todo: [H, { name: W, when: "while (isUnDef($get('held'))) sleep(5); return true" }]
`;
    expect((await runText(yaml)).lines).toEqual(["TIMEOUT"]);
  });
});

test("noLog leaves out the banners of the job", async () => {
  const { err } = await runText(job("noLog: true", "log('A')"));
  expect(err).toMatch(/^>> B$/m);
  expect(err).not.toMatch(/ A/);
});
