import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

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

  test("a lock in a channel that nobody created fails the job, and the error says so", async () => {
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
