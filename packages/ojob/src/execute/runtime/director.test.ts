import { expect, test } from "vitest";
import { type Ran, runText } from "../../testing/run-file.js";

/** Channels in memory are shared by all files that a process runs: each test has its own. */
let count = 0;

function runJobs(jobs: readonly string[], todo: string): Promise<Ran> {
  const lines = ["include: [oJobDirector.yaml]", "jobs:", ...jobs.map((job) => `  - ${job}`), `todo: ${todo}`, ""];
  return runText(lines.join("\n").replaceAll("OWN", `own-${++count}`));
}

const INIT = "{ name: Init, to: oJob Director init, args: { ch: OWN } }";
const SHOW = `{ name: Show, exec: "print('ENTRIES ' + JSON.stringify($ch(global.oJobCheck.ch).getAll()))" }`;
const work = (exec: string, more = ""): string =>
  `{ name: Work, from: oJob Director checkin, args: { jobName: a, jobUUID: "1" ${more} }, exec: ${JSON.stringify(exec)} }`;

function entriesOf({ out, err }: Ran): Record<string, unknown>[] {
  const line = out.split("\n").find((one) => one.startsWith("ENTRIES "));
  if (line === undefined) throw new Error(err);
  return JSON.parse(line.slice("ENTRIES ".length));
}

test("a job that failed runs again, and its entry counts the attempts", async () => {
  const exec = "const n = ($get('n') || 0) + 1; $set('n', n); if (n < 2) throw new Error('no'); print('worked ' + n);";
  const ran = await runJobs([INIT, SHOW, work(exec)], "[Init, Work, Work, Work, Show]");
  expect(ran.out.match(/worked \d/g)).toEqual(["worked 2"]);
  expect(entriesOf(ran)).toMatchObject([
    {
      name: "a",
      uuid: "1",
      status: "completed",
      attempts: 2,
      start: [expect.any(Number), expect.any(Number)],
      result: {},
    },
  ]);
});

test("without an init, the entries are in the channel of OpenAF", async () => {
  const ran = await runJobs([work("print(1)"), SHOW], "[Work, Show]");
  expect(entriesOf(ran)).toMatchObject([{ type: "director", name: "a", uuid: "1" }]);
});

test("an init with other arguments fails, and the first one counts", async () => {
  const other = "{ name: Other, to: oJob Director init, args: { ch: d } }";
  const ran = await runJobs([INIT, other, SHOW, work("print(1)")], "[Init, Init, Work, Other, Show]");
  expect(ran.err).toContain("oJob Director is initialised already, with other arguments");
  expect(entriesOf(ran)).toHaveLength(1);
});

test("after an init that failed, nothing is checked in", async () => {
  const wrong = "{ name: Init, to: oJob Director init, args: { ch: OWN, keep: '{{keep}}' } }";
  const ran = await runJobs([wrong, work("print('worked')")], "[Init, Work]");
  expect([ran.well, ran.out.includes("worked")]).toEqual([false, false]);
  expect(ran.err).toMatch(/oJob Director init has failed, so nothing is checked in: .*"keep" must be a duration/);
});

test("a checkout of an id that the job has not checked in fails", async () => {
  const call = "$job('oJob Director checkout', { jobName: 'a', jobUUID: '2' });";
  const ran = await runJobs([INIT, SHOW, work(call)], "[Init, Work, Show]");
  expect(ran.err).toContain('oJob Director checkout: this job has not checked in "2" of "a"');
  expect(entriesOf(ran)).toMatchObject([{ status: "failed", result: { status: "failed" } }]);
});

test("a result that is too large is not stored, and a line says so", async () => {
  const call = "$job('oJob Director checkout', { jobName: 'a', jobUUID: '1', result: 'x'.repeat(262144) });";
  const ran = await runJobs([INIT, SHOW, work(call)], "[Init, Work, Show]");
  expect(ran.lines).toContainEqual(
    expect.stringMatching(/^the result of "1" of "a" is not stored: it has 262146 bytes/),
  );
  expect(entriesOf(ran)).toMatchObject([{ status: "completed", result: {} }]);
});

test("while another job works on an id, a second one is skipped, or waits with wait", async () => {
  const slow = work("sleep(300, true); print('worked')");
  const second = slow.replace("name: Work", "name: Second");
  const waits = slow.replace("name: Work", "name: Waits").replace("jobName: a,", "jobName: a, wait: 20000,");
  const launch =
    "{ name: Launch, exec: \"['Work', 'Second', 'Waits'].forEach(n => global.oJobManagerLaunchJob(n, {}))\" }";
  const ran = await runJobs([INIT, launch, slow, second, waits], "[Init, Launch]");
  expect(ran.out.match(/worked/g)).toHaveLength(1);
  expect(ran.err).toMatch(/skipped, "1" of "a" is being worked on: by pid \d+ on /);
  expect(ran.err).toMatch(/skipped, "1" of "a" is done, at /);
  expect(ran.well).toBe(true);
});

test("wait resolves once the id is done, with the entry in args.job, and rejects in time", async () => {
  const args = "args: { jobName: a, jobUUID: '1', jobWaitRetry: 400, jobWaitTime: 100 }";
  const waiter = `{ name: Wait, from: oJob Director wait, ${args}, exec: "print('done ' + args.job.status)" }`;
  const late = `{ name: Late, from: oJob Director wait, args: { jobName: a, jobUUID: x, jobWaitRetry: 2, jobWaitTime: 10 }, exec: print(1) }`;
  const launch =
    "{ name: Launch, exec: \"['Wait', 'Work', 'Late'].forEach(n => global.oJobManagerLaunchJob(n, {}))\" }";
  const ran = await runJobs([INIT, launch, waiter, late, work("sleep(200, true)")], "[Init, Launch]");
  expect(ran.out).toContain("done completed");
  expect(ran.err).toContain("Timeout waiting for job 'a' for uuid 'x'.");
});

test("a check under from skips the job only if the id is done", async () => {
  const check = work("print('new')").replace("name: Work", "name: Check").replace("checkin", "check");
  const ran = await runJobs([INIT, check, work("print('worked')")], "[Init, Check, Work, Check]");
  expect(ran.out.match(/new|worked/g)).toEqual(["new", "worked"]);
});

test("an entry that is done stays for its keep", async () => {
  const init = "{ name: Init, to: oJob Director init, args: { ch: OWN, keep: 1s } }";
  const pause = '{ name: Pause, exec: "sleep(1100, true)" }';
  const ran = await runJobs([init, pause, work("print('worked')")], "[Init, Work, Work, Pause, Work]");
  expect(ran.out.match(/worked/g)).toHaveLength(2);
});
