import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";
import { Simulation } from "../../testing/simulate.js";

const START = "2026-05-01T00:30:00Z";

/** A job file with a job that logs the time of its run, to the minute, and these settings. */
function hourly(typeArgs: string, more = "", todo = "A", settings = ""): string {
  return `${settings}
jobs:
  - { name: A, typeArgs: ${typeArgs}, exec: "log('A ' + new Date(nowUTC()).toISOString().slice(11, 16))" }
${more}
todo: [${todo}]
`;
}

/** The lines of a job file after some hours. */
async function simulated(yaml: string, end: string): Promise<readonly string[]> {
  const simulation = new Simulation(START, yaml);
  await simulation.until(`2026-05-01T${end}:30Z`);
  return (await simulation.stop()).lines;
}

describe("a job of the todo that has a schedule", () => {
  test("a scheduled job of the todo runs at its ticks, not at once, in UTC", async () => {
    expect(await simulated(hourly('{ cron: "0 * * * *" }'), "03:10")).toEqual(["A 01:00", "A 02:00", "A 03:00"]);
  });

  test("a scheduled job runs by the clocks of its time zone", async () => {
    const inKathmandu = '{ cron: "0 7 * * *", timeZone: Asia/Kathmandu }';
    expect(await simulated(hourly(inKathmandu), "04:00")).toEqual(["A 01:15"]);
    expect(await simulated(hourly(inKathmandu, "", "A", "ojob: { cronInLocalTime: true }"), "04:00")).toEqual([
      "A 01:15",
    ]);
  });

  test("a job with timeInterval runs at each interval", async () => {
    expect(await simulated(hourly("{ timeInterval: 1800000 }"), "02:05")).toEqual(["A 01:00", "A 01:30", "A 02:00"]);
  });

  test("a scheduled job begins in its turn in the todo, with the arguments of the todo and its own", async () => {
    const yaml = `jobs:
  - { name: First, exec: "sleep(20); log('first')" }
  - { name: A, args: [{ a: own }, { a: second }], typeArgs: { cron: "0 * * * *", single: true }, exec: "log([args.a, args.b].join())" }
todo: [First, { name: A, args: { a: todo, b: "{{x}}" } }]
`;
    const simulation = new Simulation(START, yaml, { args: { x: "line" } });
    await simulation.until("2026-05-01T01:05:00Z");
    expect((await simulation.stop()).lines).toEqual(["first", "own,line", "second,line"]);
  });

  test("a scheduled job does not begin if its when returns false, and the process ends", async () => {
    const { well, lines } = await runText(hourly('{ cron: "* * * * * *" }', "", "{ name: A, when: return false }"));
    expect([well, lines]).toEqual([true, []]);
  });

  test("a scheduled job does not keep the process alive where daemon: false is written", async () => {
    const yaml = hourly('{ cron: "0 * * * *" }', "  - { name: B, exec: log('B') }", "A, B", "ojob: { daemon: false }");
    expect((await runText(yaml)).lines).toEqual(["B"]);
  });

  test("a job that depends on a scheduled job waits for its first run", async () => {
    const more = `  - { name: B, deps: A, exec: "log('B')" }`;
    expect(await simulated(hourly('{ cron: "0 * * * *" }', more, "A, B"), "02:10")).toEqual([
      "A 01:00",
      "B",
      "A 02:00",
    ]);
  });

  test("a scheduled job runs at once when it is called or launched", async () => {
    const more = `  - { name: B, exec: "$job('A'); global.oJobManagerLaunchJob('A')" }`;
    const { lines } = await runText(hourly('{ cron: "0 0 1 1 *" }', more, "B"));
    expect(lines).toHaveLength(2);
  });

  test("scheduled jobs that are due in the same second run once each, whatever the todo waits for", async () => {
    const names = Array.from({ length: 8 }, (_, i) => `J${i}`);
    const jobs = names.map(
      (name) => `  - { name: ${name}, typeArgs: { cron: "0 0 * * * *" }, exec: "log('${name}')" }`,
    );
    const yaml = `ojob: { numThreads: 3 }\njobs:\n${jobs.join("\n")}\n  - { name: Wait, deps: Never }\n  - { name: Never }\ntodo: [${names.join(", ")}, Wait]\n`;
    const lines = await simulated(yaml, "02:05");
    expect(lines).toHaveLength(16);
    for (const half of [lines.slice(0, 8), lines.slice(8)]) expect(half.toSorted()).toEqual(names.toSorted());
  });

  test("a scheduled job that fails does not end the daemon, and runs again at its next tick", async () => {
    const yaml = hourly(
      '{ cron: "0 * * * *" }',
      `  - { name: B, typeArgs: { cron: "1 * * * *" }, exec: throw 1 }`,
      "A, B",
    );
    const simulation = new Simulation(START, yaml);
    await simulation.until("2026-05-01T02:30:00Z");
    const { lines, err } = await simulation.stop();
    expect(lines).toEqual(["A 01:00", "A 02:00"]);
    expect(err.match(/job "B" failed: 1/g)).toHaveLength(2);
  });
});

describe("a process that slept, or whose clock was put back", () => {
  test("a process that slept makes one late run for all ticks that it missed, and says so", async () => {
    const simulation = new Simulation(START, hourly('{ cron: "0 * * * *" }'));
    await simulation.until("2026-05-01T00:40:00Z");
    simulation.clock.sleep(5 * 3_600_000);
    await simulation.until("2026-05-01T06:10:00Z");
    const { lines } = await simulation.stop();
    expect(lines).toEqual([
      '"A" has been due since 2026-05-01T05:00:00.000Z: this process slept or was held up, or the clock was put forward. It replaces 4 ticks from 2026-05-01T01:00:00.000Z on, which are not run.',
      "A 05:40",
      "A 06:00",
    ]);
  });

  test("a process runs no tick twice when its clock is put back", async () => {
    const simulation = new Simulation(START, hourly('{ cron: "0 * * * *" }'));
    await simulation.until("2026-05-01T02:10:00Z");
    simulation.clock.wall -= 3_600_000;
    await simulation.until("2026-05-01T03:10:00Z");
    expect((await simulation.stop()).lines).toEqual(["A 01:00", "A 02:00", "A 03:00"]);
  });
});

describe("a tick that comes while the run before it is still running", () => {
  const slow = (typeArgs: string, ms: number, more = ""): string => `include: oJobManager.yaml
ojob: { numThreads: 4 }
jobs:
  - name: Slow
    typeArgs: { cron: "* * * * * *", ${typeArgs} }
${more}
    exec: |
      $set("inside", ($get("inside") || 0) + 1);
      log("runs " + $get("inside"));
      const seen = $get("seen") || 0;
      $set("seen", seen + 1);
      if (seen === 0) { const end = nowUTC() + ${ms}; while (nowUTC() < end) sleep(50); }
      $set("inside", $get("inside") - 1);
      if ($get("seen") > 1 && $get("inside") === 0) process.kill(process.pid, "SIGUSR2");
todo: [Slow]
`;
  const stopping = {
    onStart: (control: { stop(reason: string): void }): void => {
      process.removeAllListeners("SIGUSR2").on("SIGUSR2", () => control.stop("SIGTERM"));
    },
  };

  test("a tick that comes during the run before it is skipped with waitForFinish", async () => {
    const { lines } = await runText(slow("waitForFinish: true", 3_300), stopping);
    expect(lines.filter((line) => line.startsWith("runs")).every((line) => line === "runs 1")).toBe(true);
    expect(lines).toContainEqual(expect.stringMatching(/skipped at its tick of .*the run before it is still running$/));
  });

  test("a tick that comes during the run before it runs beside it without waitForFinish", async () => {
    const yaml = `jobs:
  - name: A
    typeArgs: { cron: "* * * * * *" }
    exec: |
      if (isDef($get("first"))) return $set("second", 1);
      $set("first", 1);
      while (isUnDef($get("second"))) sleep(20);
      log("both");
      process.kill(process.pid, "SIGUSR2");
todo: [A]
`;
    expect((await runText(yaml, stopping)).lines).toContain("both");
  });

  test("a tick during a run of a managed job is skipped, names the holder, and is not a failure; no catch runs", async () => {
    const more = `    from: oJobManager Job Start
    to: oJobManager Job End
    catch: ["log('caught ' + exception.message)", oJobManager Error]
    args: { name: slow }`;
    const { lines, err } = await runText(slow("noLog: false", 6_300, more), stopping);
    expect(lines.filter((line) => line.startsWith("runs")).every((line) => line === "runs 1")).toBe(true);
    expect(lines).toContainEqual(
      expect.stringMatching(/skipped at its tick of .*: Can't lock to execute job 'slow': held by/),
    );
    // The stop ends the runs that wait for the lock. Nothing else can be caught.
    expect(lines.filter((line) => line.startsWith("caught") && line.includes("Can't lock"))).toEqual([]);
    expect(err).not.toMatch(/Can't lock/);
  });
});

describe("a managed job with a schedule", () => {
  test("the records of a managed job with a schedule hold the trigger, and with cron the tick", async () => {
    const yaml = `include: oJobManager.yaml
jobs:
  - { name: A, typeArgs: { cron: "0 * * * *" }, from: oJobManager Job Start, to: oJobManager Job End, args: { name: a } }
  - { name: B, typeArgs: { timeInterval: 3600000 }, from: oJobManager Job Start, to: oJobManager Job End, args: { name: b } }
  - name: Look
    type: shutdown
    exec: for (const r of $ch("oJobManager-jobs").getAll().reverse()) log([r.name, r.trigger, r.status, r.tick].join(" "))
todo: [A, B, Look]
`;
    const hour = Date.parse("2026-05-01T01:00:00Z");
    expect(await simulated(yaml, "02:00")).toEqual([
      `a cron completed ${hour}`,
      "b interval completed ",
      `a cron completed ${hour + 3_600_000}`,
    ]);
  });

  test("several schedules that share the name of a managed job each run for the same tick", async () => {
    const yaml = `include: oJobManager.yaml
jobs:
  - name: A
    typeArgs: { cron: "0 * * * *", single: true }
    from: oJobManager Job Start
    to: oJobManager Job End
    args: [{ name: a, x: 1 }, { name: a, x: 2 }]
    exec: log(args.x + args.y)
todo: [{ name: A, args: { y: p } }, { name: A, args: { y: q } }]
`;
    expect((await simulated(yaml, "01:10")).toSorted()).toEqual(["1p", "1q", "2p", "2q"]);
  });
});

test("a stop lets no more ticks come, ends the running job, and then runs the jobs of type shutdown", async () => {
  const yaml = `jobs:
  - name: A
    typeArgs: { cron: "* * * * * *", waitForFinish: true }
    exec: |
      log("on");
      process.kill(process.pid, "SIGUSR2");
      try { sleep(60000) } catch (e) { log(e.code) }
  - { name: Close, type: shutdown, exec: "sleep(1200); log('close')" }
todo: [A, Close]
`;
  const { lines } = await runText(yaml, {
    onStart: (control) => void process.removeAllListeners("SIGUSR2").on("SIGUSR2", () => control.stop("SIGTERM")),
  });
  // On a slow machine, the next tick comes before the stop, or late.
  expect(lines.filter((line) => ["on", "CANCELLED", "close"].includes(line))).toEqual(["on", "CANCELLED", "close"]);
});
