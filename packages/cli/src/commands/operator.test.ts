import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { ChannelError, type JobManager, openJobManager, type Run } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { called } from "../testing/called.js";
import { type Ended, ojm, start } from "../testing/ojm.js";
import { storeIn } from "../testing/store.js";
import { sayComing } from "./look/retry-series.js";

/* What an operator does, with a manager of its own. */

const HOUR = 3_600_000;

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

const call = (...words: readonly string[]): Promise<Ended> => called(folder, [...words, "--store", "sqlite:ojm.db"]);

async function json(...words: readonly string[]): Promise<unknown> {
  const { code, out, err } = await call(...words, "--json");
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out);
}

async function fail(name: string): Promise<void> {
  await manager.run(name, () => Promise.reject(new Error(`no ${name}`))).catch(() => {});
}

describe("what runs", () => {
  test("ps shows where, how far, how long it usually takes, and the waiters", async () => {
    await manager.run("import", () => {});
    const run = await manager.start("import");
    run.progress(3, 10, "orders");
    const waiting = manager.start("import", { wait: 60_000 });
    await expect.poll(async () => (await manager.heldLocks())[0]?.waiting).toBe(1);
    await expect.poll(async () => (await manager.progress(run))?.done).toBe(3);
    const [one] = (await json("ps")) as { readonly [field: string]: unknown }[];
    expect(one).toMatchObject({
      id: run.id,
      waiting: 1,
      usual: { p50: expect.any(Number), p95: expect.any(Number) },
      progress: { done: 3, total: 10 },
    });
    expect((await call("ps")).out).toMatch(/import +pid \d+ .* 3 of 10 \(30 %\) orders +1 /);
    await run.end();
    await (await waiting).end();
    expect(await call("ps")).toEqual({ code: 0, out: "nothing runs in sqlite ojm.db\n", err: "" });
  });

  test("cancel asks for a reason, stops the run, and the audit records it", async () => {
    const run = await manager.start("import");
    run.signal.addEventListener("abort", () => void run.cancel());
    expect(await call("cancel", "import")).toMatchObject({ code: 2, err: expect.stringMatching(/needs --reason/) });
    const dry = await call("cancel", "import", "--dry-run");
    expect([dry.code, dry.out]).toEqual([0, expect.stringMatching(/^would cancel import@/)]);
    expect(run.signal.aborted).toBe(false);
    const done = await call("cancel", "import", "--reason", "wrong month");
    expect([done.code, done.out]).toEqual([0, expect.stringMatching(/^cancelled import@\S+ on .*, pid \d+\n$/)]);
    expect(await json("audit")).toMatchObject([{ action: "cancel", name: "import", reason: "wrong month" }]);
    expect(await call("cancel", "import", "--reason", "x")).toMatchObject({ code: 3 });
  });

  test("an action on a name that the store does not have, or with no effect, is rejected before its reason is required", async () => {
    await using scheduler = openScheduler(manager);
    await scheduler.add("report", { every: HOUR }, () => {});
    await manager.run("import", () => {});
    const meant = (name: string): RegExp => new RegExp(`Did you mean "${name}"\\?`);
    for (const [words, message] of [
      [["cancel", "imprt"], meant("import")],
      [["cancel", "import"], /does not run: it is completed/],
      [["unlock", "imprt"], meant("import")],
      [["unlock", "import"], /no process holds "import"/],
      [["hold", "imprt"], meant("import")],
      [["hold", "import", "--end"], /"import" is not on hold/],
      [["pause", "reprt"], meant("report")],
      [["run-now", "reprt"], meant("report")],
      [["schedules", "rm", "reprt"], /there is no schedule "reprt"/],
      [["backfill", "reprt", "--from", "2h"], meant("report")],
      [["backfill", "report", "--stop"], /no backfill of "report" is running/],
    ] as const)
      expect([words, await call(...words)]).toMatchObject([words, { code: 3, err: expect.stringMatching(message) }]);
    for (const words of [["pause"], ["run-now"], ["schedules", "rm"], ["backfill", "--from", "2h"], ["hold"]])
      expect([words, await call(...words, "report")]).toMatchObject([
        words,
        { code: 2, err: expect.stringContaining("needs --reason") },
      ]);
    expect(await json("audit")).toEqual([]);
    const early = await called(folder, ["hold", "import", "--store", "sqlite:new.db"]);
    expect([early.code, early.err]).toEqual([2, expect.stringContaining("needs --reason")]);
    expect(existsSync(join(folder, "new.db"))).toBe(false);
  });

  test.each(["its name", "its first run"])(
    "a chain that waits for its next attempt is shown, and cancelled by %s",
    async (by) => {
      const retry = { attempts: 3, delay: HOUR };
      const work = manager.run("import", () => Promise.reject(new Error("no orders")), { retry });
      work.catch(() => {});
      await expect.poll(async () => (await manager.retries()).length).toBe(1);
      const { out } = await call("ps");
      expect(out).toMatch(/^nothing runs in sqlite ojm\.db\nimport waits for attempt 2 of 3, due \S+Z\n$/);
      const told = { name: "import", status: "waiting", attempt: 2, attempts: 3, error: "no orders" };
      const due = (await manager.retries())[0]?.due;
      expect(await json("ps")).toEqual([{ ...told, chain: expect.stringMatching(/^import@/), due }]);
      expect(await json("jobs")).toMatchObject([{ name: "import", next: { attempt: 2, attempts: 3 } }]);
      expect((await call("locks", "import")).out).toMatch(/^import +free .* 2 of 3, due \S+Z/m);
      const [{ id } = { id: "" }] = (await json("runs", "import")) as { id: string }[];
      expect((await call("show", id)).out).toMatch(/^attempts +1 failed import@\S+\nnext attempt +2, due \S+Z$/m);
      const dry = await call("cancel", id, "--dry-run");
      expect([dry.code, dry.out]).toEqual([0, expect.stringMatching(/^would cancel attempt 2 of 3 of "import", due /)]);
      const done = await call("cancel", by === "its name" ? "import" : id, "--reason", "wrong month");
      expect(done).toEqual({
        code: 0,
        out: expect.stringMatching(
          /^cancelled attempt 2 of 3 of "import", due .*Z\. Neither it nor a later attempt begins/,
        ),
        err: "",
      });
      expect(await json("show", id)).toMatchObject({
        attempts: [
          { attempt: 1, id, status: "failed" },
          { attempt: 2, status: "cancelled" },
        ],
      });
      expect(await json("audit")).toMatchObject([{ action: "cancel", reason: "wrong month" }]);
      expect(await call("cancel", id, "--reason", "x")).toMatchObject({ code: 3 });
    },
  );

  test("an attempt that no process makes is shown as overdue", () => {
    const coming = { name: "import", attempt: 2, attempts: 3 };
    const say = (at: number | undefined): string => new Date(at ?? 0).toISOString();
    const due = Date.now() - 60_000;
    const text = `import waits for attempt 2 of 3, overdue since ${say(due)}: no process has made it so far`;
    expect(sayComing({ ...coming, due }, say)).toBe(text);
  });

  test("ps, locks and jobs take the name of a job, and know a name that nothing has", async () => {
    const runs = [await manager.start("import"), await manager.start("export")];
    for (const command of ["ps", "locks", "jobs"]) {
      expect([command, await json(command, "import")]).toEqual([
        command,
        [expect.objectContaining({ name: "import" })],
      ]);
      expect([command, await call(command, "imprt")]).toMatchObject([
        command,
        {
          code: 3,
          err: expect.stringMatching(/no job, schedule, queue or lock has the name "imprt".* Did you mean "import"\?/),
        },
      ]);
    }
    for (const run of runs) await run.end();
    expect((await call("ps", "import")).out).toBe('"import" does not run\n');
  });

  test("a run that ignores its cancel is shown with who asked it to stop, and why", async () => {
    const run = await manager.start("import");
    expect((await call("ps", "import")).out).not.toContain("ASKED");
    expect((await call("cancel", "import", "--reason", "wrong month", "--wait", "1ms")).code).toBe(8);
    await expect.poll(() => run.signal.aborted).toBe(true);
    expect((await call("ps", "import")).out).toMatch(/ ASKED TO STOP\n.*\n.* \S+Z, by \S+@\S+: wrong month\n$/);
    const shown = (await call("show", "import")).out;
    expect(shown).toMatch(/^asked to stop +\S+Z, by \S+@\S+: wrong month$/m);
    // The fields form one column, after the widest title.
    const columns = [...shown.matchAll(/^\S.*? {2,}(?=\S)/gm)].map(([title]) => title.length);
    expect(new Set(columns)).toEqual(new Set(["asked to stop  ".length]));
    const stopRequest = {
      at: expect.any(Number),
      by: { pid: process.pid },
      author: expect.any(String),
      reason: "wrong month",
    };
    expect(await json("ps", "import")).toMatchObject([{ stopRequest }]);
    expect(await json("show", "import")).toMatchObject({ stopRequest });
    expect((await call("why", "import")).out).toMatch(/ It was asked to stop at \S+Z, by \S+@\S+: wrong month/);
    expect(await json("why", "import")).toMatchObject([
      { reason: { stopRequest }, help: "ojm logs import -f; if it does not end: ojm unlock import --reason …" },
    ]);
    expect((await call("unlock", "import", "--reason", "it hangs")).code).toBe(0);
    const { out } = await call("show", "import");
    expect(out).toMatch(/^ended by +\S+@\S+ \(unlock\): it hangs$/m);
    expect(out).toMatch(/^asked to stop +\S+Z, by \S+@\S+: wrong month$/m);
  });

  test("unlock takes the lock, says from whom, and that nothing proves that the body has stopped", async () => {
    const run = await manager.start("import");
    const { code, out } = await call("unlock", "import", "--reason", "it hangs");
    const look = `This does not prove that its job function has stopped. Look on ${hostname()}: ps -o pid,etime,args -p ${process.pid}\n`;
    expect([code, out]).toEqual([0, expect.stringMatching(/^took "import" from .* Its run import@.* is cancelled\. /)]);
    expect(out).toContain(look);
    await expect.poll(() => run.signal.aborted).toBe(true);
    expect(await json("audit", "import")).toMatchObject([{ action: "unlock", reason: "it hangs" }]);
    expect(await call("unlock", "import", "--reason", "x")).toMatchObject({
      code: 3,
      err: 'ojm: no process holds "import"\n',
    });
    expect(await call("unlock", "biling", "--reason", "x")).toMatchObject({
      code: 3,
      err: 'ojm: no job, schedule, queue or lock has the name "biling". Names of the store: import.\n',
    });
  });

  test.each(["a run", "a hold"])(
    "unlock of %s takes the lock that it shows, and not that of a later run",
    async (what) => {
      const first = what === "a run" ? await manager.start("import") : undefined;
      if (first === undefined) await manager.hold("import", { reason: "the schema changes" });
      let later: Run | undefined;
      const locks = manager.heldLocks.bind(manager);
      // The next run starts after the command has read who holds the lock.
      const spy = vi.spyOn(Object.getPrototypeOf(Object.getPrototypeOf(manager)), "heldLocks");
      onTestFinished(() => spy.mockRestore());
      spy.mockImplementationOnce(async () => {
        const read = await locks();
        if (first === undefined) await manager.unlock("import", { reason: "the schema is there" });
        else await first.end();
        later = await manager.start("import");
        return read;
      });
      const { code, err } = await call("unlock", "import", "--reason", "it hangs");
      expect([code, err]).toEqual([3, expect.stringMatching(/does not hold "import" any more: nothing was done\n$/)]);
      expect(await manager.heldLocks()).toMatchObject([{ name: "import", fence: later?.fence }]);
      expect(later?.signal.aborted).toBe(false);
      await later?.end();
    },
  );

  test("hold --end ends a hold, and takes no lock from a run", async () => {
    expect((await call("hold", "import", "--reason", "the schema changes")).code).toBe(0);
    const of = /the hold of .* \(the schema changes\), since /;
    expect(await call("hold", "other", "--new", "--dry-run")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^would prevent all runs of "other" until \S+Z\n$/),
    });
    expect(await manager.heldLocks()).toHaveLength(1);
    expect(await call("hold", "import", "--end", "--until", "2h", "--reason", "x")).toMatchObject({
      code: 2,
      err: "ojm: ojm hold --end takes no --until\n",
    });
    expect(await call("hold", "import", "--end", "--dry-run")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^would take "import" from the hold of /),
    });
    expect((await call("hold", "import", "--end", "--reason", "done")).out).toMatch(of);
    expect(await json("audit", "import")).toMatchObject([{ action: "end-hold", reason: "done" }, { action: "hold" }]);
    const run = await manager.start("import");
    expect(await call("hold", "import", "--end", "--reason", "done")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/^ojm: "import" is not on hold: its lock is held by .*, pid \d+, since .*\n$/),
    });
    run.assertHeld();
    await run.end();
    expect(await call("hold", "import", "--end", "--reason", "done")).toMatchObject({
      code: 3,
      err: 'ojm: "import" is not on hold\n',
    });
  });

  test("hold keeps runs away until it is unlocked", async () => {
    expect((await call("hold", "import", "--reason", "the schema changes", "--until", "1h")).code).toBe(0);
    await expect(manager.run("import", () => {}, { wait: 0 })).rejects.toThrow(
      /held for maintenance .*the schema changes/,
    );
    expect((await call("unlock", "import", "--reason", "done")).out).toMatch(
      /^took "import" from the hold of .* \(the schema changes\)/,
    );
    expect(await json("audit", "import")).toMatchObject([{ action: "end-hold" }, { action: "hold" }]);
    expect((await call("audit", "import")).out).toMatch(/^\S+Z +end-hold +import +\S+@\S+ +done$/m);
    expect(await call("hold", "import", "--reason", "x", "--until", "2020-01-01")).toMatchObject({
      code: 2,
      err: "ojm: --until takes a time in the future: 2020-01-01T00:00:00.000Z is over\n",
    });
    const run = await manager.start("import");
    expect(await call("hold", "import", "--reason", "x")).toMatchObject({
      code: 75,
      err: expect.stringMatching(/--wait 10m/),
    });
    await run.end();
    expect(await call("hold", "imprt", "--reason", "x")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/"imprt".* Did you mean "import"\? To hold it all the same: --new/),
    });
    expect(await json("hold", "a new one", "--reason", "x")).toMatchObject({ name: "a new one", isNew: true });
    const early = ["hold", "import", "--reason", "x", "--store", "sqlite:new.db"];
    expect(await called(folder, early)).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^ojm: created the store .*new\.db\. --store is relative .*\n.*held all the same/),
    });
    expect(await call("hold", "another", "--reason", "x")).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^(?!.*Did you mean "another").*"another" never ran\..* held all the same/),
    });
  });

  test("locks shows a hold as one, with the person, the reason and the end; next shows whom it keeps away", async () => {
    await using scheduler = openScheduler(manager);
    await scheduler.add("report", { every: HOUR }, () => {});
    await scheduler.add("other", { every: 1_000, missed: "none" }, () => {});
    expect((await call("hold", "report", "--reason", "the schema changes", "--until", "90m")).code).toBe(0);
    expect((await call("locks")).out).toMatch(/^report +hold +\S+@\S+ +\S+Z +0 +\S+Z +the schema changes$/m);
    expect(await json("locks")).toMatchObject(expect.arrayContaining([expect.objectContaining({ state: "hold" })]));
    const next = (await json("next", "report", "-n", "3")) as { skipped?: string }[];
    // Whether the second tick is within the hold depends on the time of day.
    expect([next[0]?.skipped, next[2]?.skipped]).toEqual(["held", undefined]);
    expect(((await json("next")) as { name: string }[]).map(({ name }) => name).sort()).toEqual(["other", "report"]);
    // A scheduler announces its schedules to the others a moment later.
    await expect.poll(async () => (await call("jobs", "report")).out).toMatch(/^report +on hold, runs \S+Z /m);
    const reasons = (await json("why", "report")) as { code: string; help?: string }[];
    expect(Object.fromEntries(reasons.map(({ code, help }) => [code, help]))).toMatchObject({
      maintenance: "ojm hold report --end --reason …",
      next: undefined,
    });
    expect(await json("doctor")).toContainEqual(expect.objectContaining({ check: "holds", state: "warning" }));
  });
});

describe("what ran", () => {
  test("a list that is cut says so, but not in JSON", async () => {
    for (let i = 0; i < 3; i++) await manager.run("import", () => {});
    const more = "These are the newest 2, and there are more: --limit N shows N of them";
    const ids = ((await json("runs")) as { id: string }[]).map(({ id }) => id);
    expect((await call("runs", "-n", "2")).err).toBe(`${more}, and --before ${ids[1]} the next page\n`);
    expect((await call("runs", "-n", "1")).err).toBe(
      `This is the newest one, and there are more: --limit N shows N of them, and --before ${ids[0]} the next page\n`,
    );
    expect((await call("runs", "-n", "3")).err).toBe("");
    expect(await json("runs", "-n", "2")).toHaveLength(2);
    const none = { code: 2, err: "ojm: --since must lie before --until: no time lies between them\n" };
    expect(await call("runs", "--since", "1h", "--until", "2h")).toMatchObject(none);
    for (let i = 0; i < 3; i++) await manager.hold(`job ${i}`, { reason: "x", until: Date.now() + HOUR });
    expect(await call("audit", "-n", "2")).toMatchObject({ code: 0, err: `${more}\n` });
  });

  test("runs are filtered, and shown page after page", async () => {
    for (const name of ["a", "b", "a"]) {
      await manager.run(name, () => {});
      // Of runs that start in the same ms, the last name comes first.
      const now = Date.now();
      await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(now);
    }
    await fail("b");
    const names = async (...words: readonly string[]): Promise<string[]> =>
      ((await json("runs", ...words)) as { name: string; status: string }[]).map(
        ({ name, status }) => `${name} ${status}`,
      );
    expect(await names()).toEqual(["b failed", "a completed", "b completed", "a completed"]);
    expect(await names("a")).toEqual(["a completed", "a completed"]);
    expect(await names("--failed")).toEqual(["b failed"]);
    expect(await names("--since", "1h", "--status", "completed", "-n", "1")).toEqual(["a completed"]);
    expect(await names("--until", "1h")).toEqual([]);
    const [first] = (await json("runs", "-n", "1")) as { id: string }[];
    expect(await names("--before", first?.id ?? "", "-n", "2")).toEqual(["a completed", "b completed"]);
    expect(await call("runs", "c")).toMatchObject({
      code: 3,
      out: "",
    });
    expect(await call("runs", "--status", "fialed")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/status is one of/),
    });
  });

  test("a job that fails all the time hides no other one: --by-name shows each name once, with a count", async () => {
    await fail("billing");
    for (let i = 0; i < 4; i++) await fail("flaky");
    await manager.run("flaky", () => {});
    await manager.run("well", () => {});
    const failed = (await json("runs", "--failed", "--since", "12h", "--by-name")) as { [field: string]: unknown }[];
    expect(failed).toMatchObject([
      { name: "flaky", status: "failed", count: 4, first: expect.any(Number), last: { status: "completed" } },
      { name: "billing", status: "failed", count: 1 },
    ]);
    expect(failed[1]).not.toHaveProperty("last");
    expect(Number(failed[0]?.["first"])).toBeLessThanOrEqual(Number(failed[0]?.["startTime"]));
    expect((await call("runs", "--failed", "--by-name")).out).toMatch(
      /^NAME +RUNS +FIRST +LAST +STATUS +SINCE .*\n[- ]+\nflaky +4 +\S+Z +\S+Z +failed +completed +no flaky\nbilling +1 +\S+Z +\S+Z +failed +no billing\n$/,
    );
    // A user wanted a cancelled run to end.
    const run = await manager.start("stopped");
    await run.cancel();
    expect(await json("runs", "--failed", "--by-name")).toHaveLength(2);
    expect(await json("runs", "--failed", "stopped")).toHaveLength(1);
    expect((await call("runs", "--by-name", "-n", "1")).err).toMatch(/there are more: --limit N shows N of them\n$/);
    expect(await json("runs", "flaky", "--by-name")).toMatchObject([{ status: "completed", count: 5 }]);
    expect((await call("runs", "--failed", "-n", "3")).err).toMatch(
      / the next page\. --by-name shows each name once\n$/,
    );
    expect((await call("runs", "flaky", "-n", "3")).err).toMatch(/ the next page\n$/);
    expect((await call("runs", "none", "--by-name")).code).toBe(3);
    expect((await call("runs", "--until", "1h", "--by-name")).out).toBe("no such runs\n");
  });

  test("runs shows which attempt and which tick a run is of, where some run has one", async () => {
    await manager.run("plain", () => {});
    expect((await call("runs")).out).toMatch(/^RUN +STARTED +STATUS +TOOK +FENCE /);
    await using scheduler = openScheduler(manager);
    await scheduler.add("report", { every: 1_000, missed: "none", retry: { attempts: 2, delay: 1 } }, () => {
      throw new Error("no disk");
    });
    await expect
      .poll(async () => (await call("runs", "report")).out)
      .toMatch(/^report +\S+Z +failed +2 of 2 +.* ms +\S+\.000Z .*no disk$/m);
  });

  test("a name that nothing has is not found, with or without one that is near", async () => {
    await manager.run("import", () => {});
    for (const words of [["why"], ["export"], ["runs"], ["audit"], ["prune", "--older-than", "1h"]]) {
      const [command = "", ...more] = words;
      expect([command, await call(command, "quite-another", ...more)]).toMatchObject([
        command,
        {
          code: 3,
          out: "",
          err: expect.stringMatching(
            /no job, schedule, queue or lock has the name "quite-another".* Names of the store: import\.\n$/,
          ),
        },
      ]);
    }
  });

  test("a run is shown by its id, by the beginning of one, or by its name", async () => {
    const { record } = await manager.run("import", () => 3, { meta: { customer: "x" } });
    for (const word of [record.id, record.id.slice(0, -3), "import"]) {
      expect(await json("show", word)).toMatchObject({ id: record.id, result: 3, meta: { customer: "x" } });
    }
    expect((await call("show", "import")).out).toMatch(
      /^run +import@.*\nstatus +completed\n[\s\S]*meta +\{"customer":"x"\}\n/,
    );
    expect(await call("show", "imprt")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/"imprt" never ran\. Did you mean "import"\?/),
    });
    expect(await call("show", "imp")).toMatchObject({ code: 3, err: expect.stringMatching(/Did you mean "import"\?/) });
    expect(await call("show", "import@2001")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/no run "import@2001"/),
    });
  });

  test("a log is shown, and followed until its run is over; a terminal obeys none of it", async () => {
    const run = await manager.start("import");
    run.log.info("one");
    run.log.warn("\\u001b[2J".replace("\\u001b", "\u001b"));
    const quiet = await manager.start("quiet");
    const following = ojm(folder, "logs", "import", "-f", "--store", "sqlite:ojm.db");
    await expect.poll(async () => (await call("logs", "import", "--tail", "1")).out).toMatch(/warn +\\u001b\[2J\n$/);
    run.log.error("last");
    await run.end();
    const { code, out } = await following;
    expect(code).toBe(0);
    expect(await call("logs", quiet.id)).toEqual({ code: 0, out: "", err: `ojm: ${quiet.id} has no log so far\n` });
    await quiet.end();
    expect((await call("logs", quiet.id)).err).toBe(`ojm: ${quiet.id} has no log\n`);
    expect(out.split("\n").map((line) => line.replace(/^\S+ /, ""))).toEqual([
      "info   one",
      "warn   \\u001b[2J",
      "error  last",
      "",
    ]);
    expect((await call("logs", "import", "--raw")).out).toContain("\u001b[2J");
  });

  test("a log that is followed ends with 130 by Ctrl-C, because the end of the run is not known", async () => {
    await using run = await manager.start("import");
    run.log.info("one");
    const following = start(folder, "logs", "import", "-f", "--store", "sqlite:ojm.db");
    await following.prints("one");
    following.process.kill("SIGINT");
    expect((await following.ended).code).toBe(130);
  });

  test("a store that keeps no log of runs that completed says so, and how many lines there were", async () => {
    const store = { type: "sqlite", args: { file: join(folder, "ojm.db") } };
    const logBudget = { completed: false };
    const brief = await openJobManager({ chJobs: store, chLocks: store, logBudget });
    await brief.run("import", (run) => run.log.info("one"));
    await brief.close();
    await expect
      .poll(() => call("logs", "import"))
      .toEqual({
        code: 0,
        out: "",
        err: "ojm: this store keeps no log of a run that completed: it had 1 line\n",
      });
    expect(await json("logs", "import")).toMatchObject([{ missing: { lines: 1 } }]);
  });

  test("wait ends as its run does", async () => {
    const run = await manager.start("import");
    expect(await call("wait", "import", "--timeout", "10ms")).toMatchObject({ code: 8 });
    const waiting = call("wait", run.id);
    await run.fail(new Error("no orders"));
    expect(await waiting).toMatchObject({ code: 1, out: expect.stringMatching(/error +no orders/) });
    await manager.run("import", () => {});
    expect(await call("wait", "import")).toMatchObject({ code: 0 });
    // A later version may write a status that is unknown here. Without an end, such a run has not ended.
    const { value: last } = await manager.history({ name: "import" }).next();
    const { endTime: _, endDate: __, duration: ___, ...rest } = last ?? expect.fail("no run");
    const jobs = await manager.channel<unknown>("oJobManager-jobs");
    await jobs.set({ name: "import", startTime: Number(last?.startTime) }, { ...rest, status: "draining" });
    expect(await call("wait", "import", "--timeout", "10ms")).toMatchObject({ code: 8 });
  });

  test("wait of a job that is tried again ends with its last attempt, and --attempt with the one that it began with", async () => {
    const retry = { attempts: 2, delay: HOUR };
    const tried = manager.run("tried", () => Promise.reject(new Error("no")), { retry });
    tried.catch(() => {});
    await expect.poll(async () => (await manager.retries()).length).toBe(1);
    const next = /^ojm: attempt 1 of 2 failed: no\. Attempt 2 is due at \S+Z\n$/;
    expect(await call("wait", "tried", "--timeout", "10ms")).toMatchObject({
      code: 8,
      out: expect.stringMatching(/^status +failed$/m),
      err: expect.stringMatching(next),
    });
    expect(await call("wait", "tried", "--attempt")).toMatchObject({ code: 1, err: expect.stringMatching(next) });
    expect(await call("wait", "tried", "--attempt", "--json")).toMatchObject({ code: 1, err: "" });
    await manager.cancel("tried", { reason: "enough" });
    expect(await call("wait", "tried")).toMatchObject({ code: 1, out: expect.stringMatching(/^status +cancelled$/m) });

    let attempts = 0;
    const first = await manager.start("first");
    const work = manager.run(
      "import",
      async () => {
        await manager.wait(first);
        if (++attempts < 3) throw new Error(`no ${attempts}`);
      },
      { retry: { attempts: 3, delay: 1 } },
    );
    await expect.poll(() => manager.openRecords()).toHaveLength(2);
    const waiting = call("wait", "import", "--json");
    await first.end();
    const { code, out, err } = await waiting;
    expect([code, JSON.parse(out), err]).toMatchObject([0, { attempt: 3, status: "completed" }, ""]);
    await work;
    const chain = (await json("runs", "import")) as { id: string }[];
    expect(await call("wait", chain[2]?.id ?? "")).toMatchObject({
      code: 0,
      out: expect.stringContaining(chain[0]?.id ?? "-"),
      err: "",
    });
    expect(await call("wait", chain[2]?.id ?? "", "--attempt")).toMatchObject({ code: 1 });
  });

  test("show reports that a run was handed over, and the run that makes its attempt", async () => {
    const first = await manager.start("import");
    await first.handOver("this host is drained");
    const { out } = await call("show", "import");
    expect(out).toMatch(/^error +this host is drained\nhanded over +to another run, which makes the same attempt$/m);
    expect(out).toMatch(/^next attempt +1, due \S+Z: no process makes it/m);
    await manager.run("import", () => {}, { retry: { attempts: 2 } });
    const [second] = (await json("runs", "import")) as { id: string }[];
    const all = `attempts +1 skipped ${first.id}\n +1 completed ${second?.id}\n`;
    for (const { id } of [first, second ?? { id: "none" }])
      expect([id, (await call("show", id)).out]).toEqual([id, expect.stringMatching(`\n${all}`)]);
    expect((await call("show", second?.id ?? "")).out).not.toContain("handed over");
  });

  test("runs has a column of hosts if a run is of another machine", async () => {
    for (let i = 0; i < 2; i++) await manager.run("import", () => {});
    expect((await call("runs", "import")).out).toMatch(/^RUN +STARTED +STATUS +TOOK +FENCE/);
    const { record } = await manager.run("import", () => {});
    const { name, startTime, holder } = record;
    await manager.channels.jobs.set({ name, startTime }, { ...record, holder: { ...holder, host: "host-b" } });
    const { out } = await call("runs", "import");
    expect(out).toMatch(/^RUN +STARTED +STATUS +TOOK +HOST +FENCE/);
    expect(out.match(/ host-b /g)).toHaveLength(1);
    expect(out.split(` ${hostname()} `)).toHaveLength(3);
  });

  test("prune counts, then deletes", async () => {
    for (const name of ["a", "b"]) await manager.run(name, () => {});
    await expect
      .poll(async () => (await call("prune", "--older-than", "1ms", "--dry-run")).out)
      .toBe("would remove 2 runs\n");
    expect((await call("prune", "a", "--older-than", "1ms", "--dry-run")).out).toBe("would remove 1 run\n");
    expect((await call("prune", "--older-than", "1ms", "--keep", "1", "--dry-run")).out).toBe("would remove 0 runs\n");
    expect((await call("prune", "--older-than", "1ms")).out).toBe("removed 2 runs\n");
    expect(await json("audit")).toMatchObject([{ action: "prune", name: "*", details: { removed: 2 } }]);
    expect((await call("audit")).out).toMatch(/ prune +\* +\S+@\S+ +removed 2 runs older than 1 ms$/m);
    expect((await call("runs")).out).toBe("no runs yet\n");
    expect(await call("prune")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/needs --older-than,.* or --keep/),
    });
    for (let i = 0; i < 3; i++) await manager.run("a", () => {});
    // A run that ended in the current ms is not older than that.
    await expect
      .poll(async () => (await call("prune", "a", "--keep", "1", "--dry-run")).out)
      .toBe("would remove 2 runs\n");
    expect((await call("prune", "a", "--keep", "1")).out).toBe("removed 2 runs\n");
    expect((await call("audit", "a")).out).toMatch(/ removed 2 runs, but for the newest 1 of each name$/m);
    expect(await json("runs", "a")).toHaveLength(1);
  });

  test("prune in a full store says how much it deleted, and that the audit does not record it", async () => {
    const unrecorded = new ChannelError("FULL", "Redis at a:6379 has no memory left");
    const spy = vi.spyOn(Object.getPrototypeOf(manager), "prune");
    onTestFinished(() => spy.mockRestore());
    spy.mockResolvedValue({ removed: 2, unrecorded });
    expect(await call("prune", "--older-than", "1ms")).toEqual({
      code: 5,
      out: "removed 2 runs\n",
      err: "ojm: the audit does not record this prune: Redis at a:6379 has no memory left\n",
    });
    const { code, out, err } = await call("prune", "--older-than", "1ms", "--json");
    expect([code, JSON.parse(out), err]).toEqual([5, { removed: 2, audits: 0, unrecorded: unrecorded.message }, ""]);
  });
});

test("a name that begins with dashes stands behind two dashes, and a new name is not blank", async () => {
  await manager.run("--weird", () => {});
  expect((await call("show")).code).toBe(2);
  const { code, out } = await called(folder, ["show", "--store", "sqlite:ojm.db", "--", "--weird"]);
  expect([code, out]).toEqual([0, expect.stringMatching(/^run +--weird@/)]);
  expect(await call("hold", " ", "--new", "--reason", "x")).toMatchObject({
    code: 2,
    err: "ojm: the name of a job must not be blank\n",
  });
  expect(await called(folder, ["exec", " a", "--store", "sqlite:ojm.db", "--", "true"])).toMatchObject({ code: 2 });
  for (const words of [["--limit", "-1"], ["-n", "-1"], ["--limit=-1"]]) {
    const { code: refused, err } = await call("runs", ...words);
    expect([refused, err]).toEqual([2, 'ojm: --limit takes a whole number from 1 up, not "-1"\n']);
  }
  expect((await call("runs", "--limit", "--failed")).err).toMatch(
    /--limit needs a value\. One that begins with a dash is written --limit=-…/,
  );
});

test("lists leave out the runs that ojm makes for itself, unless they are asked for by name", async () => {
  for (const name of ["a", "ojm alerts", "ojm alerts"]) await manager.run(name, () => {});
  expect(await json("runs", "-n", "1")).toMatchObject([{ name: "a" }]);
  expect(await json("runs", "ojm alerts")).toHaveLength(2);
  expect(await json("jobs")).toMatchObject([{ name: "a" }]);
});

describe("what will run", () => {
  test("jobs, next and why show a schedule; pause, resume, run-now and backfill act on it", async () => {
    await using scheduler = openScheduler(manager);
    const ran: string[] = [];
    await scheduler.add("report", { cron: "0 2 * * *", timeZone: "Europe/Lisbon" }, (run) => void ran.push(run.id));
    expect(await json("jobs")).toMatchObject([{ name: "report", schedule: { words: expect.stringMatching(/02:00/) } }]);
    expect(await json("next", "report", "-n", "3")).toHaveLength(3);
    expect(await call("next", "reprt")).toMatchObject({
      code: 3,
      err: expect.stringMatching(/no schedule "reprt".*report/),
    });

    expect(await call("pause", "report", "--reason", "holidays")).toMatchObject({ code: 0 });
    const other = ["pause", "report", "--reason", "the disk is full", "--until", "9h"];
    expect((await call(...other)).out).toMatch(/ It was paused by \S+@\S+ \(holidays\): that pause is replaced\n$/);
    expect(await json("pause", "report", "--reason", "holidays")).toMatchObject({
      replaced: { reason: "the disk is full" },
    });
    expect(await call("pause", "report", "--reason", "again", "--until", "2020-01-01")).toMatchObject({
      code: 2,
      err: "ojm: --until takes a time in the future: 2020-01-01T00:00:00.000Z is over\n",
    });
    expect((await call("why", "report", "--time", "relative")).out).toMatch(/at \S+Z \(in [\w ]+\), and will be/);
    const [why] = (await json("why", "report")) as { code: string; help: string }[];
    expect(why).toMatchObject({ code: "paused", text: expect.stringMatching(/holidays/), help: "ojm resume report" });
    expect((await call("resume", "report")).out).toMatch(/^the schedule "report" is resumed\. Its next tick is at/);

    const now = await call("run-now", "report", "--reason", "asked for");
    expect([now.code, now.err]).toEqual([0, ""]);
    await expect.poll(() => ran.length).toBe(1);
    expect(now.out).toContain(ran[0]);
    const filled = await call("backfill", "report", "--from", "3d", "--reason", "a gap");
    expect([filled.code, filled.out]).toEqual([
      0,
      expect.stringMatching(/^[23] ticks of "report" will be run, one after the other\./),
    ]);
    await expect.poll(() => ran.length).toBeGreaterThanOrEqual(3);
    const again = ["backfill", "report", "--from", "3d", "--reason", "a gap"];
    await expect
      .poll(async () => (await call(...again)).out)
      .toBe('all ticks of "report" in that time were run already. To run them again: --again\n');
    const { ticks } = (await json(...again)) as { ticks: number };
    expect(await json(...again)).toEqual({ ticks, ran: ticks, toRun: 0 });
    const empty = ["backfill", "report", "--from", "2030-01-01T03:00Z", "--to", "2030-01-01T04:00Z", "--reason", "x"];
    expect(await json(...empty)).toEqual({ ticks: 0, ran: 0, toRun: 0 });
    expect((await call(...empty)).out).toBe('"report" has no tick in that time: there is nothing to do\n');
    expect(await call("backfill", "report", "--from", "1d", "--to", "2d", "--reason", "x")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--from must lie before --to/),
    });
    expect(await call("pause", "nothing", "--reason", "x")).toMatchObject({ code: 3 });
    const acts = (await json("audit", "report")) as { action: string; author: string }[];
    expect([...new Set(acts.map(({ action }) => action))].sort()).toEqual(["backfill", "pause", "resume", "run-now"]);
    expect(acts.map(({ author }) => author)).toEqual(acts.map(() => expect.stringMatching(`^.+@${hostname()}$`)));
    expect((await call("audit", "report")).out).toMatch(/pause +report +\S+@\S+ +holidays\n/);
  });

  test("ticks shows the outcome of each tick, the run that caused a skip, and that no process decided", async () => {
    await using scheduler = openScheduler(manager);
    await scheduler.add("report", { every: 1_000, missed: "none" }, () => {});
    expect((await call("ticks", "report", "--missed")).out).toBe("no such ticks\n");
    const outcomes = async (...words: readonly string[]): Promise<string[]> =>
      ((await json("ticks", "report", ...words)) as { outcome: string }[]).map(({ outcome }) => outcome);
    await expect.poll(() => outcomes()).toContain("run");
    const run = await manager.start("report", { wait: 60_000 });
    await expect.poll(() => outcomes("--skipped")).toContain("skipped");
    const [one] = (await json("ticks", "report", "--not-run", "-n", "1")) as { [field: string]: unknown }[];
    expect(one).toMatchObject({ text: expect.stringMatching(`^the job was running, as ${run.id} on .*, pid \\d+$`) });
    expect((await call("ticks", "report", "--skipped")).out).toMatch(
      /^TICK +OUTCOME +WHY +RUN +DECIDED\n[ -]+\n\S+Z +skipped +the job was running, as report@\S+ on .*Z\n/,
    );
    expect(await outcomes("--since", "2001-01-01", "--until", "2001-01-02")).toEqual([]);
    await scheduler.close();
    const schedules = await manager.channel<object>("oJobManager-schedules");
    const key = ["tick", "report", one?.["at"] as number];
    await schedules.set(key, { ...(await schedules.get(key)), by: { host: "host-b", pid: 1, instance: "b" } });
    expect((await call("ticks", "report", "--skipped")).out).toMatch(/^TICK .* DECIDED +HOST *\n(.*\n)+.* host-b *\n/);
    // No process decided for two minutes: a tick is overdue after one.
    await schedules.set(["cursor", "report"], { at: Math.floor(Date.now() / 1_000) * 1_000 - 120_000 });
    expect(await outcomes("--not-run")).toContain("overdue");
    await run.end();
    expect((await call("ticks", "report", "-n", "1")).out).toMatch(/overdue +no process has decided on it so far\n$/);
  });

  test("if no process has the schedule, why says what helps, and run-now ends within moments", async () => {
    const gone = openScheduler(manager);
    await gone.add("report", { every: HOUR, missed: "none" }, () => {});
    await gone.close();
    const reasons = (await json("why", "report")) as { code: string; help?: string }[];
    expect(Object.fromEntries(reasons.map(({ code, help }) => [code, help]))).toMatchObject({
      unattended: "start the process that adds the schedule; if none does any more: ojm schedules rm report --reason …",
      next: undefined,
    });
    expect((await call("jobs")).out).toMatch(/^report +no process runs it /m);
    expect(await json("jobs")).toMatchObject([{ name: "report", unattended: true }]);
    expect((await call("next")).out).toMatch(/ report +no process runs it now: missed unless a process starts$/m);
    const filled = await call("backfill", "report", "--from", "3h", "--reason", "a gap");
    expect([filled.code, filled.out]).toEqual([
      0,
      expect.stringMatching(/No living process has this schedule: the ticks/),
    ]);
    expect((await call("backfill", "report", "--stop", "--reason", "not now")).code).toBe(0);
    const alone =
      '"report" was not started: no living process has this schedule. Start the program that adds it. More: ojm doctor';
    expect(await call("run-now", "report", "--reason", "x")).toEqual({ code: 1, out: "", err: `ojm: ${alone}\n` });
    const { code, out, err } = await call("run-now", "report", "--reason", "x", "--json");
    expect([code, out, JSON.parse(err)]).toEqual([1, "", { error: { code: "failed", exit: 1, message: alone } }]);
  });

  test("a hint quotes a name that a shell would read otherwise", async () => {
    const name = "a job $(id)";
    const held = await call("hold", name, "--new", "--reason", "x");
    expect(held.out).toContain(`To end it sooner: ojm hold '${name}' --end --reason …`);
    await using scheduler = openScheduler(manager);
    await scheduler.add(name, { every: HOUR, missed: "none" }, () => {});
    expect((await call("pause", name, "--reason", "x")).out).toContain(`To end that: ojm resume '${name}'.`);
  });

  test("a hint for a name that begins with a dash can be copied: the name is not read as an option", async () => {
    const name = "-x;`id`";
    /** The only command in a text that starts like this, as a shell parses it. */
    const printed = (text: string, command: string): string[] => {
      const line = new RegExp(`ojm (${command} [^\n]*?-- '-x;\`id\`')`).exec(text)?.[1] ?? expect.fail(text);
      return execFileSync("sh", ["-c", `printf '%s\\n' ${line.replace("…", "why")}`], { encoding: "utf8" })
        .trimEnd()
        .split("\n");
    };
    /** The store comes first: only names may follow the two dashes. */
    const callNamed = (...[command = "", ...words]: readonly string[]): Promise<Ended> =>
      called(folder, [command, "--store", "sqlite:ojm.db", ...words]);
    await using scheduler = openScheduler(manager);
    await scheduler.add(name, { every: HOUR, missed: "none" }, () => {});
    const paused = await callNamed("pause", "--reason", "x", "--", name);
    expect((await callNamed(...printed(paused.out, "resume"))).code).toBe(0);
    const held = await callNamed("hold", "--reason", "x", "--", name);
    for (const text of [held.out, (await callNamed("why", "--", name)).out, (await call("doctor")).out])
      expect(printed(text, "hold")).toEqual(["hold", "--end", "--reason", "why", "--", name]);
    expect((await callNamed(...printed(held.out, "hold"))).code).toBe(0);
    await manager.run(name, () => {});
    await manager.run(name, () => {});
    const { err } = await call("runs", "-n", "1");
    const [, before = expect.fail(err)] = /--before='([^']*)' the next page/.exec(err) ?? [];
    expect(JSON.parse((await call("runs", `--before=${before}`, "--json")).out)).toHaveLength(1);
  });

  test("a hint writes a name of several lines so that a shell can take it", async () => {
    const name = "two\nlines";
    expect((await call("hold", name, "--new", "--reason", "x")).out).toContain(
      "ojm hold $'two\\nlines' --end --reason …",
    );
    expect((await call("why", name)).out).toContain("ojm hold $'two\\nlines' --end --reason …");
    expect((await call("doctor")).out).toContain("ojm hold $'two\\nlines' --end --reason …");
    expect((await call("unlock", name, "--reason", "x")).code).toBe(0);
    await manager.run(name, () => {});
    await fail(name);
    // All lists, the fields of a run and errors spell the name in the same way.
    for (const [command, ...words] of [["runs"], ["jobs"], ["locks"], ["show", name], ["why", name]] as const)
      expect([command, (await call(command, ...words)).out]).toEqual([command, expect.stringContaining("two\\nlines")]);
    for (const command of ["runs", "jobs", "locks"]) expect((await call(command)).out).not.toMatch(/^two( |$)/m);
    expect((await call("show", name)).out).not.toMatch(/^run .*two$/m);
    expect((await call("runs", "-n", "1")).err).toMatch(/--before \$'two\\nlines@\S+Z' the next page\n$/);
  });

  test("a backfill shows its progress, and is stopped with a reason", async () => {
    await using scheduler = openScheduler(manager);
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    await scheduler.add("report", { every: HOUR, missed: "none" }, () => gate);
    expect((await call("backfill", "report", "--status")).out).toBe(
      'no backfill of "report" is running. The outcome of its ticks: ojm ticks report\n',
    );
    expect(await call("backfill", "report", "--stop", "--reason", "x")).toMatchObject({ code: 3 });
    expect((await call("backfill", "report", "--from", "3h", "--reason", "a gap")).code).toBe(0);
    await expect.poll(() => json("backfill", "report", "--status")).toMatchObject([{ run: expect.any(String) }]);
    const [one] = (await json("backfill", "report", "--status")) as { ticks: number; remaining: number }[];
    expect((await call("backfill", "report", "--status")).out).toContain(`1 of ${one?.ticks}`);
    expect(await call("backfill", "report", "--stop")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--reason/),
    });
    expect(await call("backfill", "report", "--stop", "--status")).toMatchObject({ code: 2 });
    const stopped = await call("backfill", "report", "--stop", "--reason", "wrong days");
    expect([stopped.code, stopped.out]).toEqual([
      0,
      expect.stringMatching(/^the backfill of "report" by \S+@\S+ is stopped, after 1 of \d ticks\n$/),
    ]);
    expect((await call("audit")).out).toMatch(/stop-backfill +report .*wrong days/);
    open();
  });

  test("run-now gives parameters to the job function, and the record shows them", async () => {
    await using scheduler = openScheduler(manager);
    const seen: unknown[] = [];
    await scheduler.add("report", { cron: "0 2 * * *" }, ({ args }) => void seen.push(args));
    const words = ["report", "day=2026-11-01", "rows=10", "note=a=b", "dry=true", "--reason", "asked for"];
    expect((await call("run-now", ...words)).code).toBe(0);
    const args = { day: "2026-11-01", rows: 10, note: "a=b", dry: true };
    await expect.poll(() => seen).toEqual([args]);
    expect(await json("show", "report")).toMatchObject({ args });
    expect((await call("show", "report")).out).toContain(JSON.stringify(args));
    expect(await call("run-now", "report", "day", "--reason", "x")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/"day" is not an argument: arguments are written key=value/),
    });
    expect(await call("run-now", "report", `day=${"x".repeat(5_000)}`, "--reason", "x")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/args must be at most 4096 bytes as JSON/),
    });
    expect(seen).toHaveLength(1);
  });

  test("a misspelt name is rejected with the name that is near, and nothing is done", async () => {
    await using scheduler = openScheduler(manager);
    await scheduler.add("report", { every: HOUR }, () => {});
    const reason = ["--reason", "x"];
    const calls = [
      ["pause", ...reason],
      ["resume"],
      ["run-now", ...reason],
      ["backfill", "--from", "1h", ...reason],
      ["backfill", "--status"],
      ["backfill", "--stop", ...reason],
      ["why"],
      ["next"],
      ["ticks"],
      ["unlock", ...reason],
      ["audit"],
      ["prune", "--older-than", "1h"],
      ["export"],
      ["hold", ...reason],
      ["show"],
      ["logs"],
    ];
    for (const [command = "", ...words] of calls) {
      const { code, out, err } = await call(command, "reprot", ...words);
      expect([command, code, out, err]).toEqual([command, 3, "", expect.stringMatching(/Did you mean "report"\?/)]);
      expect(err.trimEnd()).not.toContain("\n");
    }
    expect(await manager.heldLocks()).toEqual([]);
    expect((await call("hold", "reprot", "--new", ...reason)).code).toBe(0);
  });
});
