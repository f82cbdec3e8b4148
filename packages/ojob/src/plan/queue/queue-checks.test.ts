import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { checkJobFile, JobFileError } from "../../index.js";

const INCLUDE = "include: [oJobQueue.yaml, oJobManager.yaml]\n";

/** The messages of the problems of a job file, without their places. */
async function problemsOf(
  jobs: string,
  more = "ojob: { daemon: true }\ntodo: [Init]",
  include = INCLUDE,
): Promise<string[]> {
  const yaml = `${include}jobs:\n${jobs}${more}\n`;
  try {
    const checked = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"));
    return checked.warnings.map(({ message }) => message);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(({ message }) => message);
  }
}

const STORE = "type: sqlite, args: { file: a.db }";

const init = (args: string, name = "Init", store = STORE): string =>
  `  - { name: ${name}, to: oJob Queue Manager, args: { ${[args, store].filter(Boolean).join(", ")} } }\n`;

const rules = (rule: string, job = "A"): string => `${init("")}  - { name: A, exec: "1" }
  - name: Rules
    to: oJob Queue Rules
    args: { data: { x: 1 }, rules: [{ rule: ${JSON.stringify(rule)}, job: ${job} }] }
`;

test("a period that is meant as a rate", async () => {
  const rate = /"queuePeriod" limits no rate/;
  const commented =
    "  - name: Init\n    to: oJob Queue Manager\n    args:\n      type: sqlite\n      queuePeriod: 2000 # rate limiting\n";
  expect(await problemsOf(commented)).toEqual([expect.stringMatching(rate)]);
  const named = await problemsOf(
    init("queuePeriod: 2000", "Rate Limited"),
    "ojob: { daemon: true }\ntodo: [Rate Limited]",
  );
  expect(named).toEqual([expect.stringMatching(rate)]);
  expect(await problemsOf(init("queuePeriod: 5000, queueTimeout: 60000"))).toEqual([]);
});

test("a job that sleeps before it calls another job", async () => {
  const wrapper =
    "  - name: Wrapper\n    exec: |\n      sleep(args.delay, true)\n      $job(args.targetJob, args.targetArgs)\n";
  expect(await problemsOf(init("") + wrapper)).toEqual([expect.stringMatching(/sleeps in a slot/)]);
});

test("queueDelete: false without a delete", async () => {
  const never = await problemsOf(init("queueDelete: false"));
  expect(never).toEqual([expect.stringMatching(/each item would become a dead letter/)]);
  const script = `  - { name: B, exec: '$job("oJob Queue Delete", { idx: args.idx })' }\n`;
  expect(await problemsOf(init("queueDelete: false") + script)).toEqual([]);
});

test("a worker that ends with the todo, although its items are in a store", async () => {
  const short = /ends with the todo, and items that wait stay in the store/;
  expect(await problemsOf(init(""), "todo: [Init]")).toEqual([expect.stringMatching(short)]);
  expect(await problemsOf(init(""))).toEqual([]);
});

test("a queue in memory", async () => {
  const memory = [expect.stringMatching(/the queue of "Init" is in memory/)];
  expect(await problemsOf(init("", "Init", ""), "todo: [Init]")).toEqual(memory);
  const store =
    "  - { name: Store, to: oJobManager Init, args: { chLocks: { type: sqlite, args: { file: a.db } } } }\n";
  const daemon = "ojob: { daemon: true }\ntodo: [Store, Init]";
  expect(await problemsOf(store + init("", "Init", ""), daemon)).toEqual([]);
});

test.each([
  ["type: sqlight", [/"sqlight"/]],
  ["type: 5", ['"type" must be the type of a store, a text, not 5.']],
  ["type: sqlite, args: a.db", ['"args" must be a map, the options of the store, not "a.db".']],
  ["type: sqlite, args: { flie: a.db }", [/"flie".*"file"/]],
  [`${STORE}, attemps: 3`, ['oJob Queue Manager has no argument "attemps". Did you mean "attempts"?']],
  [`${STORE}, attempts: 101`, [/attempts must be a whole number from 1 to 100, not 101\.$/]],
  [`${STORE}, attempts: 100`, []],
  [`${STORE}, backoff: linear`, [/backoff must be "fixed" or "exponential", not the text "linear"\.$/]],
  [`${STORE}, rate: { maxx: 1, per: 1000 }`, [/"maxx"/]],
  [`${STORE}, dead: { kept: 7d }`, [/"kept"/]],
  [`${STORE}, perGroup: 0, concurrency: x`, [/"concurrency" must be a whole number above 0/]],
])("a worker with a wrong store, or wrong options: %s", async (args, expected) => {
  const messages = expected.map((one) => (typeof one === "string" ? one : expect.stringMatching(one)));
  const found = await problemsOf(init("", "Init", args));
  expect(found).toEqual(messages);
  // The same in the todo.
  const inTodo = `ojob: { daemon: true }\ntodo: [{ name: Init, args: { ${args} } }]`;
  expect(await problemsOf("  - { name: Init, to: oJob Queue Manager }\n", inTodo)).toEqual(found);
});

const ADD = "job: A, data: { to: x }, queue: q";
const job = (steps: string, args: string): string =>
  `  - { name: A, exec: "1" }\n  - { name: Job, ${steps}, args: { ${args} } }\n`;

test.each([
  ["to: oJob Queue Add", `${ADD}, prioriti: 5`, "oJob Queue Add", "prioriti", "priority"],
  ["to: oJob Queue Add", `${ADD}, Priority: 5`, "oJob Queue Add", "Priority", "priority"],
  ["to: oJob Queue Add", "job: A, data: {}, qeue: q", "oJob Queue Add", "qeue", "queue"],
  ["to: oJob Queue Delete", "idx: 0, qeue: q", "oJob Queue Delete", "qeue", "queue"],
  ["to: oJob Queue Rules", "rule: [], queue: q", "oJob Queue Rules", "rule", "rules"],
  ["from: oJob Director init", "chanel: c, stmp: {}", "oJob Director init", "stmp", "stamp"],
  ["to: oJob Director wait", "jobName: a, jobUuid: 1", "oJob Director wait", "jobUuid", "jobUUID"],
  ["from: Step", "job: A, data: {}, prioriti: 5", "oJob Queue Add", "prioriti", "priority"],
])("a misspelt argument is a warning: %s, args: { %s }", async (steps, args, owner, name, near) => {
  const message = `${owner} has no argument "${name}". Did you mean "${near}"?`;
  const step = "  - { name: Step, from: oJob Queue Add }\n";
  const director = "include: [oJobDirector.yaml, oJobQueue.yaml]\n";
  const found = await problemsOf(step + job(steps, args), "ojob: { daemon: true }\ntodo: [Job]", director);
  expect(found).toContain(message);
  expect(found.filter((text) => text.includes("has no argument"))).toEqual([message]);
  // The same in the todo.
  const inTodo = `ojob: { daemon: true }\ntodo: [{ name: Job, args: { ${args} } }]`;
  expect(await problemsOf(step + job(steps, "x: 1"), inTodo, director)).toContain(message);
});

test.each([
  ["another use in a template", "job: A, data: { to: '{{queues}}' }, queues: x"],
  ["another use in a script", "job: A, data: {}, later: x, groups: y"],
  ["the right name beside it", `${ADD}, quue: 1`],
  ["a short name", "job: A, data: {}, a: 1, cat: 2, id: 3"],
  ["a name that is not near", "job: A, data: {}, pages: 1, customer: 2"],
])("an argument for another use is right: %s", async (_, args) => {
  const steps = 'exec: "print(args.groups)", to: oJob Queue Add';
  const found = await problemsOf(job(steps, args), "ojob: { daemon: true }\ntodo: [Job]");
  expect(found.filter((text) => text.includes("has no argument"))).toEqual([]);
});

test("rules: quotes around a value are a warning, other faults are errors", async () => {
  expect(await problemsOf(rules("{{x}} > 1"))).toEqual([]);
  expect(await problemsOf(rules("'{{x}}' == 'a'"))).toEqual([expect.stringMatching(/has quotes around a value/)]);
  expect(await problemsOf(rules("{{x}} >"))).toEqual([expect.stringMatching(/"Rules" cannot be evaluated/)]);
  expect(await problemsOf(rules("'a {{x}}' == 'b'"))).toEqual([expect.stringMatching(/is within the text/)]);
  expect(await problemsOf(rules("true", "Nowhere"))).toEqual([
    expect.stringMatching(/a rule of "Rules" names the job/),
  ]);
});
