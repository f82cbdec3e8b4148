import { registerBackend } from "@ojm/core";
import { describe, expect, test } from "vitest";
import type { RunFileOptions } from "../run.js";
import { runText, script } from "../testing/run-file.js";

/** All tests of this process share the channels in memory: read only the records since the test began. */
function list(): string {
  return `log($ch("oJobManager-jobs").getAll().filter(r => r.startTime >= ${Date.now()}).map(r => r.name + " " + r.status + (r.error ? " " + r.error : "")).join("; "))`;
}

/** A managed job "Work" with this script, then one that logs the records, newest first. */
function managed(code: string, more = "", args = "name: work"): string {
  return [
    "include: [oJobManager.yaml]",
    "jobs:",
    "  - name: Work",
    "    from: oJobManager Job Start",
    `    args: {${args}}`,
    ...(more === "" ? ["    to: oJobManager Job End", "    catch: oJobManager Error"] : [more]),
    "    exec: |",
    ...code.split("\n").map((line) => `      ${line}`),
    "  - name: Look",
    "    exec: |",
    `      ${list()};`,
    "todo: [oJobManager Init, Work, Look]",
    "",
  ].join("\n");
}

describe("a managed job", () => {
  test("a managed job holds its lock, is recorded as running and then as completed, and releases the lock", async () => {
    const { well, lines } = await runText(managed(`log("body " + $ch("oJobManager-jobs").getAll()[0].status);`));
    expect(lines).toEqual(["body running", "work completed"]);
    expect(well).toBe(true);
  });

  test("a return in the script of a managed job ends its own step only", async () => {
    const { well, lines } = await runText(managed('log("a"); return;\nlog("never");'));
    expect([well, lines]).toEqual([true, ["a", "work completed"]]);
  });

  test("a managed job that throws is recorded as failed with the error, which is shown with its line", async () => {
    const { well, lines, err } = await runText(managed('log("a");\n  throw new Error("broken");'));
    expect([well, lines]).toEqual([false, ["a", "work failed broken"]]);
    expect(err).toMatch(
      /failed: broken \(.*jobs\.yaml:10:15\)\n {3}10 \| {9}throw new Error\("broken"\);\n {6}\| {15}\^/,
    );
  });

  test.each([
    ["neither to nor catch", "    deps: []"],
    ["only to", "    to: oJobManager Job End"],
    ["only catch", "    catch: oJobManager Error"],
  ])("a managed job releases its lock whether it completes or fails, with %s", async (_, more) => {
    expect((await runText(managed("args.ok = 1", more))).lines).toEqual(["work completed"]);
    expect((await runText(managed("throw 'text'", more))).lines).toEqual(["work failed text"]);
  });

  test("a managed job frees its name for the next run", async () => {
    const yaml = managed(`log("run");`).replace("Work, Look", "Work, Work, Look");
    expect((await runText(yaml)).lines).toEqual(["run", "run", "work completed; work completed"]);
  });

  test("a managed job is ended at its timeout, even in an endless loop", async () => {
    const { well, lines, err } = await runText(managed("for (;;) {}", "", "name: work, timeout: 300"));
    expect(well).toBe(false);
    expect(lines).toEqual([
      expect.stringMatching(/^work timeout the run of "work" took longer than its timeout of 300 ms$/),
    ]);
    expect(err).toMatch(/job "Work" failed: .*timeout of 300 ms/);
  });

  test.each(["process.exit(0)", "Promise.reject(new Error('x')); await new Promise(r => setTimeout(r, 2000))"])(
    "a managed job that crashes its thread (%s) is recorded as failed",
    async (code) => {
      expect((await runText(managed(code))).lines).toEqual([expect.stringMatching(/^work failed /)]);
    },
  );

  test("from, exec and to of a job work on the same args", async () => {
    const yaml = `jobs:
  - { name: Before, exec: "args.list.push('from'); return;" }
  - { name: After, exec: "log(args.list.concat('to').join())" }
  - name: Job
    from: Before
    to: [After]
    args: { list: [] }
    exec: args.list.push("exec")
todo: [Job]
`;
    expect((await runText(yaml)).lines).toEqual(["from,exec,to"]);
  });
});

describe("errors around oJobManager Init and Job End", () => {
  test("an oJobManager Init that fails keeps the body of a managed job from running", async () => {
    registerBackend({ type: "broken", open: () => Promise.reject(new Error("it is broken")) });
    const yaml = managed(`log("body");`).replace(
      "  - name: Work",
      "  - name: Init\n    to: oJobManager Init\n    args: {chLocks: {type: broken}}\n  - name: Work",
    );
    const { well, lines, err } = await runText(yaml.replace("oJobManager Init, Work, Look", "Init, Work"));
    expect([well, lines]).toEqual([false, []]);
    expect(err).toMatch(/job "Init" failed: .*oJobManager Init failed: .*it is broken/s);
    expect(err).toMatch(/job "Work" failed: .*oJobManager Init failed/);
  });

  test("a misspelt argument of oJobManager Init is an error, and does not fall back to memory", async () => {
    const yaml =
      "include: oJobManager.yaml\njobs: [{name: I, to: oJobManager Init, args: {chLock: {type: db}}}]\ntodo: [I]\n";
    await expect(runText(yaml)).rejects.toThrow(/oJobManager Init has no argument "chLock"\. Did you mean "chLocks"\?/);
    // If a script decides the arguments, Init finds the problem when it runs.
    const late = yaml.replace("to: oJobManager Init", "exec: args.more = 1, to: oJobManager Init");
    expect((await runText(late)).err).toMatch(/job "I" failed: oJobManager Init has no argument "chLock"/);
  });

  test("a second oJobManager Init with other channels is refused", async () => {
    const yaml = `include: oJobManager.yaml
jobs: [{name: I, to: oJobManager Init, args: {chLocks: {type: simple}, chJobs: {type: simple}}}]
todo: [oJobManager Init, I, oJobManager Init]
`;
    expect((await runText(yaml)).err).toMatch(/initialised already, on other channels/);
  });

  test("oJobManager Job End without a Job Start says so, and writes no record", async () => {
    const yaml = `include: oJobManager.yaml
jobs: [{name: E, to: oJobManager Job End, args: {name: never}}, {name: Look, exec: '${list().replaceAll("'", "''")}'}]
todo: [E, Look]
`;
    const { lines, err } = await runText(yaml);
    expect(lines).toEqual([""]);
    expect(err).toMatch(/no run of "never" is open here/);
  });
});

describe("catch of a job", () => {
  test("a catch may be code, which sees the exception and the args", async () => {
    const yaml = `jobs:
  - name: Job
    args: { a: 1 }
    exec: "args.a = 2; throw new RangeError('far')"
    catch: log([exception.name, exception.message, args.a].join())
todo: [Job]
`;
    const { well, lines } = await runText(yaml);
    expect([well, lines]).toEqual([false, ["RangeError,far,2"]]);
  });

  test("a catch that fails does not keep the rest of the catch from running", async () => {
    const yaml = managed("throw 'text'", "    catch: ['throw new Error(\"alert\")', oJobManager Error]");
    const { lines, err } = await runText(yaml);
    expect(lines).toEqual(["work failed text"]);
    expect(err).toMatch(/job "Work" failed: .*alert/);
  });

  test("a script can end its run by hand, with oJobManager Error or oJobManager Job End", async () => {
    const code =
      'try { throw new Error("risky") } catch (e) { $job("oJobManager Error", { name: args.name, e: e }); throw e; }';
    expect((await runText(managed(code, "    deps: []"))).lines).toEqual(["work failed risky"]);
    const end = '$job("oJobManager Job End", { name: args.name });';
    expect((await runText(managed(end, "    deps: []"))).lines).toEqual(["work completed"]);
  });
});

describe("$job", () => {
  const jobs = `jobs:
  - { name: Double, exec: "args.n *= 2" }
  - { name: Bad, exec: "throw new Error('inner')" }
`;

  test("$job runs a job to its end and returns its args", async () => {
    const yaml = `${jobs}  - { name: A, exec: "log($job('Double', {n: 21}).n)" }\ntodo: [A]\n`;
    expect((await runText(yaml)).lines).toEqual(["42"]);
  });

  test("$job throws if the job failed or does not exist", async () => {
    const yaml = `${jobs}  - { name: A, exec: "for (const j of ['Bad', 'Doubel']) try { $job(j) } catch (e) { log(e.message) }" }\ntodo: [A]\n`;
    expect((await runText(yaml)).lines).toEqual(["inner", 'there is no job "Doubel". Did you mean "Double"?']);
  });

  test("$job of a managed job whose lock the caller itself holds gives up after the wait", async () => {
    const yaml = managed('try { $job("Work") } catch (e) { log(e.message) }');
    const { lines } = await runText(yaml);
    expect(lines[0]).toMatch(/^Can't lock to execute job 'work': held by /);
    expect(lines[1]).toBe("work completed");
  });

  test("a job that was called by $job ends with its caller", async () => {
    const yaml = managed('$job("Loop")', "", "name: work, timeout: 300").replace(
      "  - name: Look",
      '  - {name: Loop, exec: "for (;;) {}"}\n  - name: Look',
    );
    expect((await runText(yaml)).lines).toEqual([expect.stringMatching(/^work timeout/)]);
  });
});

describe("args of a job", () => {
  test("args of the command line and of the todo reach the job, whose own args win", async () => {
    const yaml =
      "jobs: [{name: A, args: {a: own, t: 'x-{{b}}'}, exec: 'log([args.a, args.b, args.t, args.c].join())'}]\ntodo: [{name: A, args: {a: todo, b: todo}}]\n";
    expect((await runText(yaml, { args: { a: "line", b: "line", c: 5 } })).lines).toEqual(["own,todo,x-todo,5"]);
  });

  test("a list of args runs the job once for each map, at once or, with single, in turn", async () => {
    const yaml =
      "jobs: [{name: A, typeArgs: {single: true}, args: [{a: 1}, {a: 2}], exec: 'log(args.a + args.b)'}]\ntodo: [{name: A, args: [{b: x}, {b: y}]}]\n";
    expect((await runText(yaml)).lines).toEqual(["1x", "2x", "1y", "2y"]);
    const { lines } = await runText(yaml.replace("single: true", "single: false"));
    expect(lines.toSorted()).toEqual(["1x", "1y", "2x", "2y"]);
  });

  test("args with a template that nothing fills are warned of", async () => {
    const yaml = "jobs: [{name: A, args: {a: 'x {{nobody}}'}, exec: 'log(args.a)'}]\ntodo: [A]\n";
    expect((await runText(yaml)).lines).toEqual([
      'nothing fills {{nobody}} in the argument "a" of the job "A".',
      "x {{nobody}}",
    ]);
  });
});

describe("channels of scripts", () => {
  test("a script creates a channel and uses it by name", async () => {
    const yaml = script(
      `$ch("c").create();
$ch("c").set({ k: 1 }, { v: 1 });
$ch("c").set("b", 2);
$ch("c").forEach((k, v) => print(stringify([k, v], undefined, "")));
log([$ch("c").size(), $ch("c").get("b").value, stringify($ch("c").getKeys(), undefined, ""), isUnDef($ch("c").get("no"))].join(" "));
$ch("c").unset("b");
log($ch("c").getAll().length);`,
    );
    const { lines, out } = await runText(yaml);
    expect(lines).toEqual(['2 2 [{"k":1},{"key":"b"}] true', "1"]);
    expect(out).toMatch(/\[\{"k":1\},\{"v":1\}\]\n\[\{"key":"b"\},\{"key":"b","value":2\}\]/);
  });

  test("a channel that does not exist is an error with a hint", async () => {
    expect((await runText(script('$ch("c").get(1)'))).err).toMatch(/there is no channel "c"\. Create it first/);
    expect((await runText(script('$ch("oJobManager-job").getAll()'))).err).toMatch(/Did you mean "oJobManager-jobs"\?/);
  });

  test("a channel refuses a value that JSON cannot hold, at the line of the script", async () => {
    expect((await runText(script('$ch("c").create();\n$ch("c").set("k", { a: NaN })'))).err).toMatch(
      /failed: .*NaN.* \(.*jobs\.yaml:5:\d+\)/,
    );
  });
});

describe("the functions of scripts", () => {
  test.each([
    [
      "$from([{a: 2, g: 'x'}, {a: 1, g: 'y'}, {a: 3, g: 'x'}]).groupBy('g').select(g => g.key + g.items.length)",
      ["x2", "y1"],
    ],
    ["$from([{s: 1, e: 3}, {s: 1}]).filter('e').average('e', 's')", 2],
    ["$from([{a: 2}, {a: 1}]).sort('-a').select('a')", [2, 1]],
    ["merge({a: {b: 1}, l: [1]}, {a: {c: 2}, l: [2]})", { a: { b: 1, c: 2 }, l: [2] }],
    [
      "[isDef(null), isUnDef(undefined), isNull(null), isString(''), isNumber(NaN), isArray([]), isMap({}), isMap([])]",
      [true, true, true, true, false, true, true, false],
    ],
    ["[jsonParse('{\"a\":1}').a, jsonParse('no'), jsonParse('no', 0)]", [1, "no", 0]],
    // As in OpenAF, with `true` a JavaScript literal is parsed, and any other text is returned as it is.
    [
      "['{a: 1, \\'b\\': [\\'c\\', -2,], /* d */}', 'no', '{a: process.exit()}', '{\"a\":1}'].map(t => jsonParse(t, true))",
      [{ a: 1, b: ["c", -2] }, "no", "{a: process.exit()}", { a: 1 }],
    ],
    [
      "[jsonParse('{a: 1}'), jsonParse('{a: 1}', false), jsonParse(''), jsonParse(), jsonParse({ a: 1 })]",
      ["{a: 1}", "{a: 1}", {}, {}, { a: 1 }],
    ],
    // In OpenAF, sh() is the text that the command writes.
    [
      "[sh('echo hi').trim(), 'x' + sh('printf hi'), sh('printf a,b').split(','), sh('printf hi').length, sh('printf hi') == 'hi']",
      ["hi", "xhi", ["a", "b"], 2, true],
    ],
    [
      "[jsonParse(sh('echo [1]')), sh('printf hi').exitcode, Object.keys(sh('printf hi')).sort(), sh('printf hi')]",
      [[1], 0, ["exitcode", "stderr", "stdout"], { exitcode: 0, stderr: "", stdout: "hi" }],
    ],
    [
      "[sh('echo $A', { env: { A: 5 } }).trim(), sh(['printf', '%s', '$A b']).stdout, sh('sleep 60', { timeout: 20 }).exitcode > 0]",
      ["5", "$A b", true],
    ],
    // Several documents of YAML are a list.
    ["[af.fromYAML('a: 1'), af.fromYAML('a: 1\\n---\\n2'), af.fromYAML('')]", [{ a: 1 }, [{ a: 1 }, 2], null]],
    // In OpenAF, whether to compress comes first.
    [
      "['a', 'b', 'c', 'd'].map((n, i) => { const c = $ch(n); [() => c.create(1, 'simple', {}), () => c.create(true), () => c.create(undefined, 'simple'), () => c.create('simple', {})][i](); c.set('k', i); return c.get('k').value })",
      [0, 1, 2, 3],
    ],
    ["templify('Hi {{a.b}}{{no}}!', {a: {b: 1}})", "Hi 1!"],
    ["af.fromYAML(af.toYAML({a: [1]}))", { a: [1] }],
    // Other YAML parsers take these texts for a boolean, a date, a number, a merge, a time.
    [
      "af.toYAML(['yes', 'on', 'n', '2026-01-31', '1_000', '<<', '1:30', '012', 'a'])",
      "- 'yes'\n- 'on'\n- 'n'\n- '2026-01-31'\n- '1_000'\n- '<<'\n- '1:30'\n- '012'\n- a\n",
    ],
    [
      "[typeof genUUID(), nowUTC() - now() < 1000, $env('NOPE_X') === undefined, getEnv('PATH').length > 0]",
      ["string", true, true, true],
    ],
    ["[$set('k', 1), $get('k')]", [null, 1]],
    [
      "[af.toYAML({a: 1, f() {}}), stringify({a: 1}), stringify({a: 1}, undefined, '')]",
      ["a: 1\n", '{\n  "a": 1\n}', '{"a":1}'],
    ],
    [
      "(() => { const a = {l: [{}]}; const b = clone(a); b.l[0].x = 1; return [a, b] })()",
      [{ l: [{}] }, { l: [{ x: 1 }] }],
    ],
    ["(() => { const a = {}; a.a = a; return stringify(a, undefined, '') })()", '{"a":"[circular]"}'],
    ["await Promise.all([$get('none'), templify('{{l}}', {l: [1]}), $env('NOPE_X', 'y')])", [null, "[1]", "y"]],
    [
      "$from([{n: 'a', s: 1, e: 5}, {n: 'b', s: 2}, {n: 'a', s: 1, e: 3}]).groupBy('n').select(g => ({ name: g.key, runs: g.items.length, ms: $from(g.items).filter('e').average('e', 's') }))",
      [
        { name: "a", runs: 2, ms: 3 },
        { name: "b", runs: 1 },
      ],
    ],
  ])("a function of scripts gives the right value: %s", async (code, expected) => {
    const { lines, err } = await runText(script(`log(JSON.stringify(${code}))`));
    expect(err).not.toMatch(/ERROR/);
    expect(JSON.parse(lines[0] ?? "null")).toEqual(expected);
  });

  test("a log that is written faster than it can be shown is complete and in order", async () => {
    const { lines } = await runText(script("for (let i = 0; i < 20000; i++) log(i)"));
    expect(lines).toEqual(Array.from({ length: 20_000 }, (_, i) => String(i)));
  });
});

test("print shows text as it is, sprint as JSON, and both in the order of the log", async () => {
  const { out } = await runText(
    script("print('a'); sprint({b: 1}); sprint('c'); printnl('d'); print(); print([1]); print(null)"),
  );
  expect(out).toBe('a\n{\n  "b": 1\n}\n"c"\nd\n[\n  1\n]\nnull\n');
});

test("the error of a script that subscribes to a channel says what to write instead", async () => {
  const { err } = await runText(script('$ch("c").create(); $ch("c").subscribe(() => {})'));
  expect(err).toMatch(/a script cannot subscribe to a channel\. Write a job .*chSubscribe: c.*jobs\.yaml:4/);
});

test("force unlock says what it did, and cancels the run that held the lock", async () => {
  const { lines } = await runText(
    managed(
      'global.__oJobManager.jobLocks.unlock("nobody"); global.__oJobManager.jobLocks.unlock("work"); sleep(60000)',
    ),
  );
  expect(lines.slice(0, 2)).toEqual([
    'the lock "nobody" is free',
    expect.stringMatching(/^unlocked "work", which .* held$/),
  ]);
  expect(lines.at(-1)).toMatch(/^work cancelled unlocked by force/);
}, 30_000);

test.each([
  ["args.lock", "undefined"],
  ["null", "null"],
  ['""', "an empty text"],
  ['["work"]', "a list"],
  ["{ name: 'work' }", "a map"],
  ["() => {}", "a function"],
  ["Number(args.lock)", "NaN"],
])("force unlock of %s, which is not a name, fails the job and says what to give", async (name, shown) => {
  const { well, lines, err } = await runText(script(`global.__oJobManager.jobLocks.unlock(${name})`));
  expect([well, lines]).toEqual([false, []]);
  expect(err).toContain(`jobLocks.unlock takes the name of a lock, as in unlock("daily"), not ${shown} (`);
});

test("force unlock takes a number too, because the command line reads a name of digits as one", async () => {
  const { well, lines } = await runText(script("global.__oJobManager.jobLocks.unlock(4711)"));
  expect([well, lines]).toEqual([true, ['the lock "4711" is free']]);
});

test("a job that failed does not keep the next one of the todo from running", async () => {
  const yaml = "jobs: [{name: A, exec: throw 1}, {name: B, exec: log(2)}]\ntodo: [A, B]\n";
  const { well, lines } = await runText(yaml);
  expect([well, lines]).toEqual([false, ["2"]]);
});

describe("a stop of a managed job", () => {
  /** Stops the run as soon as one of its scripts sends a signal that nothing else uses. */
  const stopping = (): Pick<RunFileOptions, "onStart"> => ({
    onStart: (control) => void process.once("SIGUSR2", () => control.stop("SIGINT")),
  });
  const now = 'log("on"); process.kill(process.pid, "SIGUSR2");';

  test("a stop reaches a managed job, cancels its run, releases its lock, and starts no more jobs", async () => {
    const catching = `${now} try { sleep(60000, true) } catch (e) { log(e.code); throw e }`;
    const { well, err, lines } = await runText(managed(catching), stopping());
    expect([well, lines]).toEqual([false, ["on", "CANCELLED"]]);
    expect(err).toMatch(/job "Work" failed: .*asked to stop/);
    expect((await runText(managed("args.ok = 1"))).lines[0]).toBe("work completed");
  });

  test("a stop lets a job finish that does so in time", async () => {
    const { lines } = await runText(
      managed(`${now} const end = Date.now() + 50; while (Date.now() < end); log("finished")`),
      stopping(),
    );
    expect(lines).toEqual(["on", "finished"]);
  });

  test("a stop ends a job that does not listen after the grace period", async () => {
    const { well, err } = await runText(managed(`${now} for (;;) {}`), { grace: 50, ...stopping() });
    expect(well).toBe(false);
    expect(err).toMatch(/job "Work" failed: the job was stopped: SIGINT/);
  });

  test("a stop runs the catch of a job that it ends", async () => {
    const { lines } = await runText(
      managed(`${now} sleep(60000)`, "    catch: [log('cleaning up'), oJobManager Error]"),
      stopping(),
    );
    expect(lines).toEqual(["on", "cleaning up"]);
  });
});
