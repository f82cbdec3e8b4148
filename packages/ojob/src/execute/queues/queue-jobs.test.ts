import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

/**
 * A job file with a queue in memory and these jobs. The todo begins with the manager of the queue. The memory
 * is that of the process: what a test leaves in a queue needs a name of its own.
 */
function file(jobs: string, todo: string, args = "{}"): string {
  return `include: [oJobQueue.yaml]
jobs:
  - { name: Init, to: oJob Queue Manager, args: ${args} }
${jobs}
todo: [Init, ${todo}]
`;
}

const script = (name: string, code: string, more = ""): string =>
  `  - name: ${name}\n${more}    exec: |\n${code.replace(/^/gm, "      ")}\n`;

const add = (job: string, more = ""): string => `$job("oJob Queue Add", { job: "${job}"${more} })`;

describe("oJob Queue Add", () => {
  test("the job of an item gets its data as args, and as args.data, beside its id and attempt", async () => {
    const work = script(
      "Work",
      'log([args.id, JSON.stringify(args.data), args.idx == args.obj.data.idx, args.obj.job, args.attempt].join(" "))',
    );
    const yaml = file(work + script("Go", add("Work", ", data: { id: 1 }")), "Go");
    const { well, lines } = await runText(yaml);
    expect(well).toBe(true);
    expect(lines.at(-1)).toBe('1 {"id":1} false Work 1');
  });

  test("a queue in memory is empty before the process ends, and a warning names it", async () => {
    const go = `for (let i = 0; i < 20; i++) ${add("Work", ", data: { i }")}`;
    const { well, lines } = await runText(file(script("Work", "log(`item ${args.i}`)") + script("Go", go), "Go"));
    expect([well, lines.filter((line) => line.startsWith("item")).length]).toEqual([true, 20]);
    expect(lines.filter((line) => /^the queue "queue" is in the memory of this process/.test(line))).toHaveLength(1);
  });

  test("the job's own args win over the data, and its templates are filled from the data", async () => {
    const work = script("Work", "log(args.to + ' ' + args.own)", '    args: { to: "{{mail}}", own: 1 }\n');
    const yaml = file(work + script("Go", add("Work", ', data: { mail: "a@b", own: 2 }')), "Go");
    expect((await runText(yaml)).lines.at(-1)).toBe("a@b 1");
  });

  test.each([
    ['job: "Work"', '"data" must be a map'],
    ["data: {}", '"job" must be the name of the job'],
    ['job: "Wrok", data: {}', 'there is no job "Wrok"'],
    ['job: "Work", data: { to: "{{mail}}" }', "nothing fills {{mail}}"],
    ['job: "Work", data: {}, timeout: "1h"', '"timeout" must be a number'],
    ['job: "Work", data: {}, priority: 1000', "priority must be a whole number"],
  ])("{ %s } fails: %s", async (args, message) => {
    const yaml = file(script("Work", "log('never')") + script("Go", `$job("oJob Queue Add", { ${args} })`), "Go");
    const { well, lines, err } = await runText(yaml);
    expect([well, lines.includes("never")]).toEqual([false, false]);
    expect(err).toContain(message);
  });

  test("without a worker or a store, an item could not be handled: adding it fails", async () => {
    const yaml = file(script("Work", "") + script("Go", add("Work", ", data: {}")), "Go").replace("[Init, ", "[");
    expect((await runText(yaml)).err).toMatch(/no job of this process handles the items of the queue "queue"/);
  });

  test("the queue is that of the worker in the file, even where the worker does not run", async () => {
    const yaml = `include: [oJobManager.yaml, oJobQueue.yaml]
jobs:
  - { name: Init, to: oJobManager Init, args: { chJobs: &s { type: sqlite, args: { file: ./q.db } }, chLocks: *s } }
  - { name: Worker, to: oJob Queue Manager, args: { name: mail } }
${script("Work", "")}${script("Go", `${add("Work", ", data: {}")}; $job("oJob Queue Report", { queue: "mail" })`)}
todo: [Init, Go]
`;
    const { well, lines } = await runText(yaml);
    expect([well, lines.at(-1)]).toEqual([true, expect.stringMatching(/^queue "mail": 1 waiting/)]);
  });

  test("items of a higher priority are first, and a key is unique", async () => {
    const go = [
      add("Work", ", data: { n: 'first' }"),
      "while ($get('begun') !== 1) sleep(5)",
      add("Work", ", data: { n: 'low' }, priority: -1"),
      add("Work", ", data: { n: 'high' }, priority: 5, unique: 'k'"),
      add("Work", ", data: { n: 'twice' }, unique: 'k'"),
      "$set('go', 1)",
    ].join("\n");
    const work = script("Work", "$set('begun', 1); while ($get('go') !== 1) sleep(5); log('did ' + args.n)");
    const { lines } = await runText(file(work + script("Go", go), "Go", "{ concurrency: 1 }"));
    expect(lines.filter((line) => line.startsWith("did"))).toEqual(["did first", "did high", "did low"]);
  });

  test("an item waits for its delay, or until its time", async () => {
    const go = `const at = nowUTC() + 200
${add("Work", ", data: { at }, delay: 200")}
${add("Work", ", data: { at }, at")}`;
    const { lines } = await runText(file(script("Work", "log(nowUTC() >= args.at)") + script("Go", go), "Go"));
    expect(lines.slice(1)).toEqual(["true", "true"]);
  });

  test("a job that adds its own args again, as the guide does, does not let them grow", async () => {
    const work = script(
      "Work",
      `if ((args.n ?? 0) < 3) ${add("Work", ", data: merge(args, { n: (args.n ?? 0) + 1 })")}
log("fields " + Object.keys(args.obj.data).sort() + " of " + JSON.stringify(args.data))`,
    );
    const { lines } = await runText(file(work + script("Go", add("Work", ", data: { x: 1 }")), "Go"));
    expect(lines.filter((line) => line.startsWith("fields")).at(-1)).toBe('fields data,n,x of {"x":1}');
  });
});

describe("an attempt", () => {
  const failing = "log('try ' + args.attempt); if (args.attempt < 3) throw new Error('no')";

  test("that fails is final by default: the item is a dead letter, and oJob Queue Retry makes it wait again", async () => {
    const jobs =
      script("Work", "log('try ' + $get('ok')); if ($get('ok') !== 1) throw new Error('no')") +
      script("Go", add("Work", ", data: {}")) +
      script(
        "Again",
        `while ($job("oJob Queue Report").report.dead !== 1) sleep(5)
$set("ok", 1)
log("retried " + $job("oJob Queue Retry").retried)`,
      );
    const { well, lines, err } = await runText(file(jobs, "Go, Again", "{ name: letters }"));
    expect(well).toBe(false);
    const steps = lines.filter((line) => /^(try|retried)/.test(line));
    expect(steps.sort()).toEqual(["retried 1", "try 1", "try undefined"]);
    expect(err).toMatch(/the item \w+ of the queue "letters" failed at attempt 1 of 1, and is a dead letter now: no$/m);
  });

  test("that fails is made again as often as `attempts` says", async () => {
    const yaml = file(
      script("Work", failing) + script("Go", add("Work", ", data: {}")),
      "Go",
      "{ attempts: 3, delay: 10 }",
    );
    const { lines } = await runText(yaml);
    expect(lines.filter((line) => line.startsWith("try"))).toEqual(["try 1", "try 2", "try 3"]);
  });

  test("begins as often as the rate of the queue says", async () => {
    const go = `for (let n = 0; n < 3; n++) ${add("Work", ", data: { n }")}`;
    const starts =
      "log('at ' + $ch('oJobManager-jobs').getAll().filter((run) => run.name == 'rated').map((run) => run.startTime).sort().join(' '))";
    const jobs = script("Work", "log(args.n)") + script("Go", go) + script("Starts", starts, "    type: shutdown\n");
    const { lines } = await runText(file(jobs, "Go, Starts", "{ name: rated, rate: { max: 1, per: 300 } }"));
    const times = (lines.at(-1) ?? "").split(" ").slice(1).map(Number);
    expect(times).toHaveLength(3);
    expect((times[2] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(300);
  });

  test("ends by the timeout of its item", async () => {
    const yaml = file(script("Work", "for (;;) {}") + script("Go", add("Work", ", data: {}, timeout: 200")), "Go");
    const { well, err } = await runText(yaml);
    expect(well).toBe(false);
    expect(err).toMatch(/dead letter now: "Work" took longer than its timeout of 200 ms/);
  });

  test("of a job that this file does not have is final", async () => {
    const yaml = file(script("Go", `global.__oJobQueue.send({ job: "Gone", data: {} })`), "Go");
    expect((await runText(yaml)).err).toMatch(/there is no job "Gone"/);
  });

  test("that the job skips is done", async () => {
    const yaml = file(script("Work", "job.skip('not today')") + script("Go", add("Work", ", data: {}")), "Go");
    const { well, err } = await runText(yaml);
    expect([well, /Work: skipped, not today/.test(err)]).toEqual([true, true]);
  });
});

describe("queueDelete: false", () => {
  test("only oJob Queue Delete completes an item, and an attempt without it has failed", async () => {
    const work = script("Work", `if (args.ok) $job("oJob Queue Delete", { idx: args.idx })\nlog("did " + args.ok)`);
    const go = script("Go", `${add("Work", ", data: { ok: true }")}\n${add("Work", ", data: { ok: false }")}`);
    const { well, lines, err } = await runText(file(work + go, "Go", "{ queueDelete: false }"));
    expect([well, lines.filter((line) => line.startsWith("did")).sort()]).toEqual([false, ["did false", "did true"]]);
    expect(err.match(/no oJob Queue Delete has completed its item/g)).toHaveLength(1);
  });
});

describe("the items that wait", () => {
  test("are counted, removed by id or by number, and purged", async () => {
    const go = `
const queue = global.__oJobQueue;
${add("Work", ", data: { n: 0 }")}
while ($get("begun") !== 1) sleep(5)
const { idx } = ${add("Work", ", data: { n: 1 }")}
for (let n = 2; n < 6; n++) global.oJobQueue.add({ job: "Work", data: { n } })
log("size " + queue.size())
$job("oJob Queue Delete", { idx })
$job("oJob Queue Delete", { idx: 0 })
$job("oJob Queue Delete", { idx: 99 })
log("size " + queue.size())
queue.purge()
log("size " + queue.size())
$set("go", 1)`;
    const work = script("Work", "$set('begun', 1); while ($get('go') !== 1) sleep(5); log('did ' + args.n)");
    const { well, lines } = await runText(file(work + script("Go", go), "Go", "{ concurrency: 1 }"));
    expect([well, lines.slice(1)]).toEqual([
      true,
      ["size 6", 'the queue "queue" has no item 99: nothing is deleted', "size 4", "size 1", "did 0"],
    ]);
  });
});

describe("oJob Queue Rules", () => {
  const rules = `
  - name: Rules
    to: oJob Queue Rules
    args:
      data: "{{@}}"
      rules:
        - { rule: "{{total}} > 1000", job: High }
        - { rule: "{{items}}.length > 1", job: Bulk }
        - { rule: "'{{customer}}' == 'Acme'", job: Acme }
`;
  const jobs = ["High", "Bulk", "Acme"].map((name) =>
    script(name, `log("${name} " + args.id + stringify(args.obj.data, undefined, ""))`),
  );

  test("an item is added for the job of each rule that is true, with the data", async () => {
    const go = `$job("Rules", { id: 1, total: 5000, items: [1] }); $job("Rules", { id: 2, total: 5, items: [1, 2], customer: "Acme" })`;
    const { well, lines } = await runText(file(rules + jobs.join("") + script("Go", go), "Go"));
    expect([well, lines.filter((line) => /^[A-Z]\w+ \d/.test(line)).sort()]).toEqual([
      true,
      [
        'Acme 2{"id":2,"total":5,"items":[1,2],"customer":"Acme"}',
        'Bulk 2{"id":2,"total":5,"items":[1,2],"customer":"Acme"}',
        'High 1{"id":1,"total":5000,"items":[1]}',
      ],
    ]);
  });

  test("a rule that fails does not keep the others from being applied, and fails the job", async () => {
    const { well, lines, err } = await runText(
      file(rules + jobs.join("") + script("Go", `$job("Rules", { id: 1, total: 5000 })`), "Go"),
    );
    expect([well, lines.filter((line) => /^High 1/.test(line)).length]).toEqual([false, 1]);
    expect(err).toMatch(/the rule "\{\{items\}\}\.length > 1" of "Bulk" failed: TypeError/);
  });

  test("functions of an earlier step are called instead of the log lines", async () => {
    const own = `  - name: Own
    from: Functions
    to: oJob Queue Rules
    args: { data: { total: 1 }, rules: [{ rule: "{{total}} == 1", job: High }, { rule: "nothing()", job: Bulk }] }
  - name: Functions
    exec: |
      args.logFn = (rule, text) => log("hit " + rule.job + " " + text);
      args.errFn = (rule, text, error) => log("miss " + rule.job + " " + error);
`;
    const { well, lines } = await runText(file(own + jobs.join(""), "Own"));
    expect(well).toBe(true);
    expect(lines.slice(1, 3)).toEqual(["hit High {{total}} == 1", "miss Bulk ReferenceError: nothing is not defined"]);
  });
});

describe("oJob Queue Manager", () => {
  test("a second one with other arguments fails", async () => {
    const yaml = file("  - { name: Other, to: oJob Queue Manager, args: { attempts: 2 } }\n", "Init, Other");
    expect((await runText(yaml)).err).toMatch(/the queue "queue" has a worker already, with other arguments/);
  });

  test("ends with its file: a job of type jobs may run that file again", async () => {
    const inner = file(script("Work", "log('work')") + script("Go", add("Work", ", data: {}")), "Go");
    const yaml = `jobs: [{ name: Inner, type: jobs, typeArgs: { file: inner.yaml } }]\ntodo: [Inner, Inner]\n`;
    const { well, lines } = await runText(yaml, {}, { "inner.yaml": inner });
    expect([well, lines.filter((line) => line === "work")]).toEqual([true, ["work", "work"]]);
  });

  test("oJob Queue Stop takes no further item, and may be called by the job of an item", async () => {
    const work = script("Work", `log("did " + args.n); $job("oJob Queue Stop")`);
    const go = script("Go", `for (let n = 0; n < 3; n++) ${add("Work", ", data: { n }")}`);
    const { well, lines } = await runText(file(work + go, "Go", "{ name: ended, concurrency: 1 }"));
    expect([well, lines.filter((line) => line.startsWith("did"))]).toEqual([true, ["did 0"]]);
    expect(lines.at(-1)).toBe('2 items are lost with the queue "ended", which is in memory');
  });

  test.each([
    ["{ attempts: 0 }", '"attempts" must be a whole number above 0, not 0'],
    ["{ queueDelete: 1 }", '"queueDelete" must be true or false, not 1'],
    ['{ backoff: "linear" }', 'backoff must be "fixed" or "exponential"'],
    ['{ type: "nothing" }', "nothing"],
  ])("that a script calls with %s fails", async (args, message) => {
    const { well, err } = await runText(
      file(script("Call", `$job("oJob Queue Manager", ${args})`), "Call").replace("[Init, ", "["),
    );
    expect(well).toBe(false);
    expect(err).toContain(message);
  });
});
