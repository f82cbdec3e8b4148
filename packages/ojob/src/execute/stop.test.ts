import { describe, expect, test } from "vitest";
import type { RunFileOptions } from "../run.js";
import { runText } from "../testing/run-file.js";

/** Stops the run whenever one of its scripts sends a signal that nothing else uses. */
function stopping(): Pick<RunFileOptions, "onStart"> {
  return {
    onStart: (control) => {
      const stop = (): void => control.stop("SIGTERM");
      process.removeAllListeners("SIGUSR2").on("SIGUSR2", stop);
    },
  };
}

const STOP = 'process.kill(process.pid, "SIGUSR2")';

describe("a stop of a run", () => {
  test("a stop reaches the running jobs, and skips the waiting ones, each with the reason", async () => {
    const yaml = `ojob: { async: true, numThreads: 2 }
jobs:
  - name: Long
    exec: |
      for (let i = 0; i < 2; i++) global.oJobManagerLaunchJob("Launched");
      ${STOP};
      try { sleep(60000) } catch (e) { log("told " + e.code) }
  - { name: Beside, exec: "try { sleep(60000) } catch (e) { log('told ' + e.code) }" }
  - { name: Launched, exec: "log('never')" }
  - { name: Waits, deps: Long, exec: "log('never')" }
todo: [Long, Waits, Beside, Launched]
`;
    const { well, lines, err } = await runText(yaml, stopping());
    expect([well, lines]).toEqual([false, ["told CANCELLED", "told CANCELLED"]]);
    expect(err.match(/job "Launched" was skipped: SIGTERM/g)).toHaveLength(3);
    expect(err.match(/job "Waits" was skipped: SIGTERM/g)).toHaveLength(1);
  });

  test("a stop refuses launches and calls that come after it", async () => {
    const code = `${STOP};
      try { sleep(60000) } catch (e) {}
      for (const start of [global.oJobManagerLaunchJob, $job]) try { start("B") } catch (e) { log(e.message) }`;
    const yaml = `jobs:\n  - name: A\n    exec: |\n      ${code}\n  - { name: B, exec: "log('never')" }\ntodo: [A]\n`;
    expect((await runText(yaml, stopping())).lines).toEqual([
      '"B" was not launched: SIGTERM',
      '"B" was skipped: SIGTERM',
    ]);
  });

  test("a stopped run ends with a called job that ends after its caller", async () => {
    const yaml = `ojob: { async: true }
jobs:
  - { name: Caller, exec: "try { $job('Called') } finally { $set('over', 1) }" }
  - name: Called
    exec: |
      $set("called", 1);
      try { sleep(60000) } catch (e) { while (isUnDef($get("over"))) sleep(5); sleep(50); log("cleaned") }
  - { name: S, exec: "while (isUnDef($get('called'))) sleep(5); ${STOP.replaceAll('"', "'")}" }
todo: [Caller, S]
`;
    const { well, lines } = await runText(yaml, stopping());
    expect([well, lines]).toEqual([false, ["cleaned"]]);
  });

  test("a stop ends a wait for a lock", async () => {
    const yaml = `ojob: { async: true }
include: oJobManager.yaml
jobs:
  - { name: H, typeArgs: { lock: s }, exec: "$set('held', 1); try { sleep(60000) } catch (e) {}" }
  - { name: W, typeArgs: { lock: s }, exec: log('never') }
  - { name: S, exec: '${STOP}' }
todo:
  - H
  - { name: W, when: "while (isUnDef($get('held'))) sleep(5); $set('waits', 1); return true" }
  - { name: S, when: "while (isUnDef($get('waits'))) sleep(5); return true" }
`;
    const { well, lines, err } = await runText(yaml, stopping());
    expect([well, lines]).toEqual([false, []]);
    expect(err).toMatch(/job "W" failed: the job was stopped: SIGTERM/);
  });

  test("a stop reaches the jobs of a file that a job of type jobs runs", async () => {
    const yaml = "jobs: [{ name: A, type: jobs, typeArgs: { file: b.yaml } }]\ntodo: [A]\n";
    const other = `jobs: [{ name: B, exec: '${STOP}; try { sleep(60000) } catch (e) { log(e.code) }' }, { name: C, exec: log(1) }]\ntodo: [B, C]\n`;
    const { lines, err } = await runText(yaml, stopping(), { "b.yaml": other });
    expect(lines).toEqual(["CANCELLED"]);
    expect(err).toMatch(/job "C" was skipped: SIGTERM/);
  });
});

describe("a daemon", () => {
  test("a daemon stays when the todo is done, and lets jobs wait for their dependencies, until it is stopped", async () => {
    const yaml = `ojob: { daemon: true }
jobs:
  - { name: A, exec: "log('A')" }
  - { name: B, deps: Never, exec: "log('B')" }
  - { name: Never }
  - { name: Stop, deps: A, exec: '${STOP}' }
todo: [A, B, Stop]
`;
    const { well, lines, err } = await runText(yaml, stopping());
    expect([well, lines]).toEqual([false, ["A"]]);
    expect(err).toMatch(/job "B" was skipped: SIGTERM/);
  });
});

describe("a daemon whose Init failed", () => {
  const yaml = (more: string, todo: string): string => `include: oJobManager.yaml
ojob: { daemon: true }
jobs:
  - { name: Init, to: oJobManager Init, args: { chJobs: { type: sqlite, args: { file: ./no.db/a.db } } } }
  - { name: Work, ${more}, typeArgs: { cron: "0 0 1 1 *" }, exec: "log('work')" }
  - { name: Stop, exec: '${STOP}' }
todo: [${todo}]
`;
  const managed = "type: periodic, from: oJobManager Job Start, to: oJobManager Job End, args: { name: work }";

  test("it ends as failed, as all its work needs the job manager", async () => {
    const { well, err } = await runText(yaml(managed, "Init, Work"), {}, { "no.db": "" });
    expect(well).toBe(false);
    expect(err).toContain("oJobManager Init failed, so the daemon has nothing to do: it ends");
  });

  test("it stays while another job has a schedule that needs no job manager", async () => {
    const { well, err } = await runText(yaml("type: periodic", "Init, Work, Stop"), stopping(), { "no.db": "" });
    expect(well).toBe(false);
    expect(err).not.toContain("nothing to do");
  });
});

describe("jobs of type shutdown", () => {
  const yaml = (work: string, close = "log('close')"): string => `jobs:
  - { name: Close, type: shutdown, exec: "${close}" }
  - name: Work
    exec: |
      ${work}
todo: [Close, Work]
`;

  test("jobs of type shutdown run when all other jobs are done, launched ones too", async () => {
    const launching = `${yaml("global.oJobManagerLaunchJob('L')")}`.replace(
      "todo",
      '  - { name: L, exec: "sleep(30); log(1)" }\ntodo',
    );
    const { well, lines } = await runText(launching);
    expect([well, lines]).toEqual([true, ["1", "close"]]);
  });

  test("jobs of type shutdown run after a failure, and make the run fail if they fail", async () => {
    expect((await runText(yaml("throw 1"))).lines).toEqual(["close"]);
    expect((await runText(yaml("log(1)", "throw new Error('x')"))).well).toBe(false);
  });

  test("jobs of type shutdown run after a stop, once the running jobs are over", async () => {
    const work = `${STOP}; try { sleep(60000) } catch (e) { log(e.code) }`;
    const { well, lines } = await runText(yaml(work), stopping());
    expect([well, lines]).toEqual([false, ["CANCELLED", "close"]]);
  });

  test("jobs of type shutdown that hang after a stop are ended after the grace period", async () => {
    const { well, err } = await runText(yaml(`${STOP}; for (;;) {}`, "for (;;) {}"), { grace: 100, ...stopping() });
    expect(well).toBe(false);
    expect(err).toMatch(/job "Close" failed: the job was stopped: SIGTERM/);
  });

  test("a second stop skips the jobs of type shutdown", async () => {
    const { lines, err } = await runText(
      yaml(`${STOP}; try { sleep(60000) } catch (e) { ${STOP}; for (;;) {} }`),
      stopping(),
    );
    expect(lines).toEqual([]);
    expect(err).toMatch(/job "Close" was skipped: SIGTERM/);
  });
});
