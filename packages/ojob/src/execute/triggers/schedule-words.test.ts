import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";
import { Simulation } from "../../testing/simulate.js";

const START = "2026-05-01T00:30:00Z";

/** A managed job, and one that shows its records at the end. `args` has the name of its lock. */
function managed(typeArgs: string, exec: string, more = "", args = "{ name: a }"): string {
  return `include: oJobManager.yaml
jobs:
  - name: A
    typeArgs: ${typeArgs}
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: ${args}
    exec: |
      ${exec}
${more}
  - name: Look
    type: shutdown
    exec: |
      for (const r of $ch("oJobManager-jobs").getAll().reverse()) {
        const tick = isDef(r.tick) ? new Date(r.tick).toISOString().slice(11, 19) : "-";
        log(["record", r.status, r.attempt || "-", r.trigger, tick, r.error || ""].join(" "));
      }
todo: [A, Look]
`;
}

/** Stops when the job sends a signal, because only the job knows when it has seen enough. */
const stopping = {
  onStart: (control: { stop(reason: string): void }): void => {
    process.removeAllListeners("SIGUSR2").on("SIGUSR2", () => control.stop("SIGTERM"));
  },
};
const DONE = `process.kill(process.pid, "SIGUSR2");`;

/** Channels in memory outlive a job file, so the records of earlier tests are there too. */
const records = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith("record "));

describe("ticks that come while the job runs", () => {
  test("with overlap: queue, each tick is run, in order", async () => {
    const exec = `const n = ($get("n") || 0) + 1; $set("n", n);
      if (n === 1) sleep(2200);
      if (n === 4) ${DONE}`;
    const { lines } = await runText(
      managed('{ cron: "* * * * * *", overlap: queue }', exec, "", "{ name: queued }"),
      stopping,
    );
    const ticks = records(lines)
      .slice(-4)
      .map((line) => Number(/:(\d\d) /.exec(line)?.[1]));
    expect(ticks.map((tick) => (tick - (ticks[0] ?? 0) + 60) % 60)).toEqual([0, 1, 2, 3]);
    expect(lines.filter((line) => line.includes("skipped"))).toEqual([]);
  });

  test("with overlap: replace, the older run is cancelled, and says by which tick", async () => {
    const exec = `const n = ($get("n") || 0) + 1; $set("n", n);
      if (n === 1) sleep(60000);`;
    // A run that requested the stop itself would be cancelled by it if it was not over by then.
    const more = `  - name: B
    exec: |
      while (!$ch("oJobManager-jobs").getAll().some((r) => r.name === "replaced" && r.status === "completed")) sleep(50);
      ${DONE}`;
    const yaml = managed('{ cron: "*/2 * * * * *", overlap: replace }', exec, more, "{ name: replaced }")
      .replace("jobs:\n", "ojob: { async: true }\njobs:\n")
      .replace("[A, Look]", "[A, B, Look]");
    const { lines } = await runText(yaml, stopping);
    const all = records(lines);
    const own = all.slice(all.findIndex((line) => line.includes("replaced by its tick of ")));
    const end = own.findIndex((line) => line.startsWith("record completed "));
    expect(end).toBeGreaterThan(0);
    // On a slow machine, the run of the next tick is replaced too.
    for (const [i, line] of own.slice(0, end).entries()) {
      const [, by] = /^record cancelled - cron .* replaced by its tick of \S+T(\S+)\.000Z/.exec(line) ?? [];
      expect(by).toBe(own[i + 1]?.split(" ")[4]);
    }
  });

  test("a run that still waits for a slot is replaced too, and its record is cancelled", async () => {
    const more = `  - name: B
    exec: |
      const ended = () => $ch("oJobManager-jobs").getAll().find((r) => r.name === "waits" && r.status !== "running");
      while (!ended()) sleep(50);
      log(ended().status + ": " + ended().error);
      ${DONE}`;
    const yaml = managed('{ cron: "* * * * * *", overlap: replace }', "log('ran')", more, "{ name: waits }")
      .replace("jobs:\n", "ojob: { numThreads: 1, async: true }\njobs:\n")
      .replace("[A, Look]", "[A, B, Look]");
    const { lines } = await runText(yaml, stopping);
    expect(lines).toContainEqual(expect.stringMatching(/^cancelled: .* replaced by its tick of /));
  });

  test("a job without a run of its own skips, queues or replaces too, within its process", async () => {
    const yaml = `jobs:
  - name: A
    typeArgs: { timeInterval: 1000, overlap: skip }
    exec: |
      const n = ($get("n") || 0) + 1; $set("n", n);
      if (n === 2) ${DONE}
      sleep(1500);
  - { name: Look, type: shutdown, exec: 'log("records " + $ch("oJobManager-jobs").getAll().filter((r) => r.name === "A").length)' }
todo: [A, Look]
`;
    const { lines } = await runText(yaml, stopping);
    expect(lines).toContainEqual(
      expect.stringMatching(/^"A" was skipped at its tick of .*000Z: the run before it is still running$/),
    );
    // It leaves no records, because the manager of the file does not know of it.
    expect(lines).toContain("records 0");
  });
});

describe("ticks that no process decided in time", () => {
  const slept = async (missed: string): Promise<readonly string[]> => {
    const log = `log("A " + new Date(nowUTC()).toISOString().slice(11, 16))`;
    const simulation = new Simulation(START, managed(`{ cron: "0 * * * *"${missed} }`, log));
    await simulation.until("2026-05-01T00:40:00Z");
    simulation.clock.sleep(5 * 3_600_000);
    await simulation.until("2026-05-01T06:10:00Z");
    return (await simulation.stop()).lines.filter((line) => !line.startsWith("record "));
  };

  test("by default the latest of them is run, and the log says which are not", async () => {
    expect(await slept("")).toEqual([
      '"A" has been due since 2026-05-01T05:00:00.000Z: this process slept or was held up, or the clock was put forward. It replaces 4 ticks from 2026-05-01T01:00:00.000Z on, which are not run.',
      "A 05:40",
      "A 06:00",
    ]);
  });

  test("with missed: none, none of them is run, and the log says so", async () => {
    expect(await slept(", missed: none")).toEqual([
      expect.stringMatching(
        /^"A" is not run for 4 ticks from 2026-05-01T01:00:00.000Z to .*T04:00:00.000Z: it was found/,
      ),
      expect.stringMatching(/^"A" is not run for its tick of 2026-05-01T05:00:00.000Z: it was found too late/),
      "A 06:00",
    ]);
  });

  test("with missed: all, each of them is run", async () => {
    expect(await slept(", missed: { run: all, max: 3 }")).toEqual([
      expect.stringMatching(/^"A" is not run for 2 ticks from .*T01:00:00.000Z to .*T02:00:00.000Z: more ticks/),
      "A 05:40",
      "A 05:40",
      "A 05:40",
      "A 06:00",
    ]);
  });
});

test("with jitter, each tick is later by less than that", async () => {
  const log = `log(new Date(nowUTC()).toISOString().slice(14, 16))`;
  const simulation = new Simulation(START, managed('{ cron: "0 * * * *", jitter: 1200000 }', log));
  await simulation.until("2026-05-01T09:30:00Z");
  const { lines } = await simulation.stop();
  const minutes = lines.filter((line) => /^\d\d$/.test(line)).map(Number);
  expect(minutes).toHaveLength(9);
  expect(Math.max(...minutes)).toBeLessThan(20);
  expect(new Set(minutes).size).toBeGreaterThan(1);
  expect(lines.filter((line) => line.includes("is due since"))).toEqual([]);
});

test("in a blackout no tick starts a run, and the log says until when, and why", async () => {
  const words = '{ cron: "0 * * * *", blackout: { cron: "0 1 * * *", duration: 7200000, reason: backups } }';
  const simulation = new Simulation(START, managed(words, "log('ran')"));
  await simulation.until("2026-05-01T03:10:00Z");
  const { lines } = await simulation.stop();
  expect(lines.filter((line) => !line.startsWith("record"))).toEqual([
    '"A" was skipped at its tick of 2026-05-01T01:00:00.000Z: blackout until 2026-05-01T03:00:00.000Z: backups',
    '"A" was skipped at its tick of 2026-05-01T02:00:00.000Z: blackout until 2026-05-01T03:00:00.000Z: backups',
    "ran",
  ]);
});

describe("the run of a tick", () => {
  const hours = async (yaml: string, end = "02:10"): Promise<{ lines: readonly string[]; err: string }> => {
    const simulation = new Simulation(START, yaml);
    await simulation.until(`2026-05-01T${end}:00Z`);
    return simulation.stop();
  };

  test("the run of a tick ends as its job does: skipped, failed or completed", async () => {
    const exec = `const n = ($get("n") || 0) + 1; $set("n", n);
      if (n === 1) job.skip("nothing new");
      if (n === 2) throw new Error("broken");`;
    const { lines } = await hours(managed('{ cron: "0 * * * *" }', exec), "03:10");
    expect(lines).toEqual([
      '"A" was skipped at its tick of 2026-05-01T01:00:00.000Z: nothing new',
      "record skipped - cron 01:00:00 nothing new",
      "record failed - cron 02:00:00 broken",
      "record completed - cron 03:00:00 ",
    ]);
  });

  test("a job that its dependencies keep from running leaves a record that is skipped, with the reason", async () => {
    const more = "  - { name: B, exec: throw 1 }";
    const yaml = managed('{ cron: "0 * * * *" }', "log('ran')", more)
      .replace("    args: { name: a }", "    deps: B\n    args: { name: a }")
      .replace("[A, Look]", "[B, A, Look]");
    const { lines } = await hours(yaml, "01:10");
    expect(lines).toEqual([expect.stringMatching(/^record skipped - cron 01:00:00 it depends on "B"/)]);
  });

  test("a job that fails before it starts its run leaves a record that is failed", async () => {
    const yaml = managed('{ cron: "0 * * * *" }', "log('ran')").replace(
      "    args: { name: a }",
      "    args: { name: a }\n    check: { in: { day: isString } }",
    );
    const { lines } = await hours(yaml, "01:10");
    expect(lines).toEqual([expect.stringMatching(/^record failed - cron 01:00:00 .*day/)]);
  });

  test("each of several args is a schedule of its own", async () => {
    const yaml = managed('{ cron: "0 * * * *", overlap: queue }', "log(args.name)", "", "[{ name: a }, { name: b }]");
    const { lines } = await hours(yaml, "01:10");
    expect(lines.slice(0, 2).toSorted()).toEqual(["a", "b"]);
    expect(records(lines)).toHaveLength(2);
  });

  test("two jobs that share a name each run at their ticks, one after the other", async () => {
    const more = `  - name: B
    typeArgs: { cron: "0 * * * *" }
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: a }
    exec: log("B")`;
    const yaml = managed('{ cron: "0 * * * *" }', `log("A")`, more).replace("[A, Look]", "[A, B, Look]");
    const { lines } = await hours(yaml, "01:10");
    expect(lines.slice(0, 2).toSorted()).toEqual(["A", "B"]);
  });

  test("a job whose name a script decides runs at its ticks too", async () => {
    const yaml = managed('{ cron: "0 * * * *" }', "log(args.name)", "", "{ x: 1 }").replace(
      "    from: oJobManager Job Start",
      "    from: [Name, oJobManager Job Start]",
    );
    const { lines } = await hours(
      yaml.replace("jobs:\n", "jobs:\n  - { name: Name, exec: args.name = 'by-script' }\n"),
    );
    expect(lines.filter((line) => line === "by-script")).toHaveLength(2);
    expect(records(lines)).toEqual(["record completed - cron 01:00:00 ", "record completed - cron 02:00:00 "]);
  });
});
