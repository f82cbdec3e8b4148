import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile } from "../index.js";
import { runText, script } from "../testing/run-file.js";

/*
 * Behaviour that files of OpenAF rely on, and that once silently differed. Each has more tests beside its own
 * source.
 */

/** The log lines of a script. */
async function logged(code: string): Promise<readonly string[]> {
  const { lines, err } = await runText(script(code));
  expect(err).not.toMatch(/ERROR/);
  return lines;
}

describe("scripts", () => {
  test("as OpenAF: what catch sees of a thrown text is that text, and no Error", async () => {
    const yaml = `jobs: [{ name: A, exec: throw "too late", catch: "log(exception.substring(4) + isString(exception))" }]
todo: [A]
`;
    expect((await runText(yaml)).lines).toEqual(["latetrue"]);
  });

  test("as OpenAF: jsonParse(text, true) reads a map as JavaScript writes it", async () => {
    expect(await logged("log(jsonParse(\"{ a: 1, 'b': [2,] }\", true).b[0])")).toEqual(["2"]);
  });

  test("as OpenAF: sh() used as a text is the output of the command", async () => {
    expect(await logged('log("on " + sh("echo host").trim()); log(sh("printf a:b").split(":")[1])')).toEqual([
      "on host",
      "b",
    ]);
  });

  test("as OpenAF: $ch(name).create(compress, type, args) takes the type in second place", async () => {
    expect(
      await logged('$ch("as-openaf").create(1, "simple", {}).set("k", 5); log($ch("as-openaf").get("k").value)'),
    ).toEqual(["5"]);
  });

  test("as OpenAF: a channel that was destroyed can be created again, and is empty", async () => {
    const code = `$ch("again").create().set("k", 5); $ch("again").destroy();
log($ch("again").create().size()); $ch("again").set("k", 6); log(JSON.stringify($ch("again").get("k")))`;
    expect(await logged(code)).toEqual(["0", '{"key":"k","value":6}']);
  });

  test("as OpenAF: getSet returns the key if the value matched, and undefined if not: scripts use it as a lock", async () => {
    const code = `$ch("seats").create();
$ch("seats").set({ id: 1 }, { id: 1, taken: false });
const take = () => $ch("seats").getSet({ taken: false }, { id: 1 }, { id: 1, taken: true });
log(JSON.stringify([take(), take() === undefined, $ch("seats").getSet({ taken: false }, { id: 2 }, {}) === undefined]))`;
    expect(await logged(code)).toEqual(['[{"id":1},true,true]']);
  });

  test("as OpenAF: a key that is not a map is { key }, a value that is not one { key, value }", async () => {
    const code = `const c = $ch("plain").create();
const out = [c.set("url", "x"), c.get("url"), c.get({ key: "url" }), c.getKeys(), c.getAll()];
c.forEach((key, value) => out.push([key, value]));
out.push(c.getSet({ value: "x" }, "url", "y"), c.getSet({ value: "x" }, "url", "z") === undefined, c.get("url").value);
out.push(c.set({ id: 1 }, 5), c.get({ id: 1 }));
c.unset("url");
c.unset({ id: 1 });
c.setAll(["key"], [{ key: "a", n: 1 }, { key: 2, n: 2 }]);
out.push(c.get("a"), c.get(2), c.set("none", null), c.get("none") === null, c.get("no") === undefined);
c.unsetAll(["key"], [{ key: "a" }, { key: 2 }, { key: "none" }]);
c.push("b", true);
out.push(c.shift(), c.size(), c.compareAndSet("b", null, 7).ok, c.pop());
out.forEach(one => log(JSON.stringify(one)));`;
    expect((await logged(code)).map((line) => JSON.parse(line) as unknown)).toEqual([
      { key: "url" },
      { key: "url", value: "x" },
      { key: "url", value: "x" },
      [{ key: "url" }],
      [{ key: "url", value: "x" }],
      [{ key: "url" }, { key: "url", value: "x" }],
      { key: "url" },
      true,
      "y",
      { id: 1 },
      { key: { id: 1 }, value: 5 },
      { key: "a", n: 1 },
      { key: 2, n: 2 },
      { key: "none" },
      true,
      true,
      { key: "b", value: true },
      0,
      true,
      { key: "b", value: 7 },
    ]);
  });
});

describe("the job manager in scripts", () => {
  const managed = (code: string, more = ""): string => `include: [oJobManager.yaml]
jobs:
  - name: A
    from: oJobManager Job Start
    args: { name: a }
    exec: |
${code.replace(/^/gm, "      ")}
${more}todo: [A]
`;

  test("as OpenAF: args.timeout is an hour after oJobManager Job Start if nothing else sets it", async () => {
    expect((await runText(managed("log(args.timeout)"))).lines).toEqual(["3600000"]);
    expect(
      (await runText(managed("log(args.timeout)").replace("{ name: a }", "{ name: a, timeout: 9000 }"))).lines,
    ).toEqual(["9000"]);
  });

  test("as OpenAF: a record has dates, and inError is false while its job runs; written back it keeps both", async () => {
    const code = `const jobs = $ch("oJobManager-jobs");
const [first] = jobs.getAll();
const key = { name: first.name, startTime: first.startTime };
const seen = [first, jobs.get(key)];
jobs.forEach((own, value) => own.startTime === first.startTime && seen.push(value));
for (const one of seen) log([one.startDate instanceof Date, one.startDate.getTime() === one.startTime, one.inError].join());`;
    const look = `  - name: Look
    exec: |
      const [first] = $ch("oJobManager-jobs").getAll();
      const key = { name: first.name, startTime: first.startTime };
      $ch("oJobManager-jobs").set(key, { ...first, note: "seen" });
      const [ended] = $ch("oJobManager-jobs").getAll();
      log(ended.note);
      log([ended.status, ended.inError, ended.endDate.getTime() === ended.endTime].join());
`;
    const { lines } = await runText(managed(code, look).replace("todo: [A]", "todo: [A, Look]"));
    expect(lines).toEqual(["true,true,false", "true,true,false", "true,true,false", "seen", "completed,false,true"]);
  });

  test("as OpenAF: a held lock is under { lock } in its channel, and isLocked says the same", async () => {
    const code = `const { jobLocks, jobList, startTime } = global.__oJobManager;
const shown = $ch("oJobManager-locks").get({ lock: "a" });
log([shown.lock, shown.value, shown.timeout > now()].join());
log([jobLocks.isLocked("a").value, jobLocks.isLocked("b").value, $ch("oJobManager-locks").get({ lock: "b" }).value].join());
log(jobList.join() + " " + (startTime.a === $ch("oJobManager-jobs").getAll()[0].startTime));
$job("Free");`;
    const free = `  - { name: Free, exec: "log(JSON.stringify(__oJobManager.jobLocks.lock('a', 10, 1)))" }
`;
    expect((await runText(managed(code, free))).lines).toEqual(["a,true,true", "true,false,false", "a true", "false"]);
  });

  test("as OpenAF: a script takes a lock by jobLocks.lock, extends its timeout and gives it back by unlock", async () => {
    const code = `const { jobLocks } = __oJobManager;
log([jobLocks.lock("x"), jobLocks.isLocked("x").value, jobLocks.lock("x", 10, 1)].join());
jobLocks.unlock("x");
log([jobLocks.isLocked("x").value, jobLocks.lock("x", 10, 1, 2000)].join());
jobLocks.extendTimeout("x", 60000);
sleep(2300);
log(jobLocks.isLocked("x").value);`;
    const jobs = `jobs:
  - name: A
    exec: |
${code.replace(/^/gm, "      ")}
  - name: B
    exec: |
      log(__oJobManager.jobLocks.lock("x", 10, 1, 50));
      sleep(60000);
  - { name: C, from: oJobManager Job Start, args: { name: c }, exec: '__oJobManager.jobLocks.extendTimeout("c", 1)' }
include: [oJobManager.yaml]
todo: [A, B, C]
`;
    const { lines, err } = await runText(jobs);
    expect(lines).toEqual(["true,true,false", "false,true", "true", "true"]);
    expect(err).toMatch(/job "B" failed: .*the lock "x".*timeout of 50 ms/);
    expect(err).toMatch(/job "C" failed: .*"c".*cannot be extended.*"timeout"/);
  });
});

describe("jobs", () => {
  test("as OpenAF: a job that subscribes gets the existing entries first, then each change", async () => {
    const yaml = `jobs:
  - { name: Make, exec: "$ch('told').create(); $ch('told').set('old', 1)" }
  - { name: Told, type: subscribe, typeArgs: { chSubscribe: told }, exec: "log(args.op + ' ' + args.k)" }
  - { name: Write, exec: "$ch('told').set('new', 2)" }
todo: [Make, Told, Write]
`;
    expect((await runText(yaml)).lines).toEqual(["set old", "set new"]);
  });

  test("as OpenAF: stopWhen sees what the job has set in global", async () => {
    const yaml = `jobs:
  - name: A
    typeArgs: { stopWhen: "return global.enough === true" }
    exec: "global.enough = true; for (;;) sleep(10)"
    catch: log(exception.code)
todo: [A]
`;
    expect((await runText(yaml)).lines).toEqual(["CANCELLED"]);
  });

  const director = (leave: string): string => `jobs:
  - { name: Is it done, exec: "if (args.done) ${leave}" }
  - { name: Work, from: Is it done, exec: log("worked") }
todo: [{ name: Work, args: { done: true } }, Work]
`;

  test("as OpenAF: a step can end its whole job without a failure, here by job.skip", async () => {
    const { well, lines } = await runText(director("job.skip('done')"));
    expect([well, lines]).toEqual([true, ["worked"]]);
  });

  test("as OpenAF: the args of a job in from or to stay for the steps after it, and win", async () => {
    const yaml = `jobs:
  - { name: Prepare, args: { x: 2, folder: "{{day}}/in" }, exec: "args.folder += '/new'" }
  - { name: Each, args: [{ y: 1 }, { y: 2 }], exec: log("each " + args.y) }
  - { name: After, args: { z: 3 }, exec: log("after " + args.x) }
  - { name: Last, exec: "log('last ' + args.z + args.y)" }
  - { name: A, args: { x: 1, day: mon }, from: [Prepare, Each], exec: log(args.x + args.folder), to: [After, Last] }
todo: [A]
`;
    expect((await runText(yaml)).lines).toEqual(["each 1", "each 2", "2mon/in/new", "after 2", "last 3undefined"]);
  });

  test("as OpenAF: a catch that returns true has dealt with the failure, and jobs that depend on the job run", async () => {
    const yaml = (told: string, all = ""): string => `include: [oJobManager.yaml]
ojob: { catch: "log('all'); ${all}" }
jobs:
  - { name: Inner, exec: throw "inner", catch: return "yes" }
  - name: A
    from: [Inner, oJobManager Job Start]
    args: { name: caught-${told} }
    exec: throw "bad"
    to: Never
    catch: "log('caught ' + exception); args.told = 1; ${told}"
  - { name: Never, exec: log("never") }
  - { name: B, deps: A, exec: "log('b ' + $ch('oJobManager-jobs').getAll()[0].status)" }
todo: [A, B]
`;
    const handled = await runText(yaml("return 1"));
    expect([handled.well, handled.lines.filter((line) => !/returned/.test(line))]).toEqual([
      true,
      ["caught bad", "b completed"],
    ]);
    expect(handled.lines).toContainEqual(expect.stringMatching(/its "catch" returned true.*completes/));
    for (const told of ["return 0", "log(1)"]) expect((await runText(yaml(told, "return true"))).well).toBe(false);
    const whole = (more: string): string => `ojob: { catch: return true }\njobs: [{ name: A, ${more} }]\ntodo: [A]\n`;
    expect((await runText(whole("exec: throw 1"))).well).toBe(true);
    expect((await runText(whole("typeArgs: { timeout: 50 }, exec: for (;;) sleep(10)"))).well).toBe(false);
  });

  test("unlike OpenAF: the name and the timeout of a job's own lock stay, whatever the jobs in from have", async () => {
    const yaml = `include: [oJobManager.yaml]
jobs:
  - { name: Prepare, args: { name: other, timeout: 50000, url: x }, exec: log(args.name) }
  - name: A
    args: { name: mine, timeout: 60000 }
    from: [oJobManager Job Start, Prepare]
    to: oJobManager Job End
    exec: log(args.name + args.timeout + args.url)
  - { name: B, from: [Prepare, oJobManager Job Start], exec: log(args.name + args.timeout) }
todo: [A, B]
`;
    const { well, lines } = await runText(yaml);
    expect([well, lines]).toEqual([true, ["other", "mine60000x", "other", "other50000"]]);
  });

  test("unlike OpenAF: return in a job of from ends its own step, and check says so at the return", async () => {
    const yaml = director("return");
    expect((await runText(yaml)).lines).toEqual(["worked", "worked"]);
    const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"));
    expect(warnings.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`)).toEqual([
      expect.stringMatching(/^2:47 "return" ends only this step.*\(In OpenAF it ends "Work"\.\).*job\.skip\(reason\)/),
    ]);
  });

  test("unlike OpenAF: a function in global stays with its job, and a warning names loads", async () => {
    const yaml = `jobs:
  - { name: Set, exec: "global.twice = n => 2 * n" }
  - { name: Use, exec: log(typeof twice) }
todo: [Set, Use]
`;
    expect((await runText(yaml)).lines).toEqual([
      expect.stringMatching(/"twice" in global.*"ojob\.loads"/),
      "undefined",
    ]);
  });
});
