import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants, hostname } from "node:os";
import { join } from "node:path";
import { type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { folderWith, temporaryFolder } from "@ojm/testing/folder";
import { startRedis, whyMissing } from "@ojm/testing/redis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { collect } from "../../../../core/src/testing/settle.js";
import { prepareType } from "../../backends.js";
import { EXIT } from "../../errors.js";
import { called } from "../../testing/called.js";
import { given } from "../../testing/given.js";
import { type Ended, Ojm, start } from "../../testing/ojm.js";
import { storeIn } from "../../testing/store.js";
import { execute } from "./exec.js";

const noRedis = whyMissing("redis-server");

/** An empty store: ojm prints a message about one that it creates. */
let empty: Buffer;
const file = join(temporaryFolder(afterAll), "ojm.db");
beforeAll(async () => {
  await prepareType("sqlite");
  const store = { type: "sqlite", args: { file } };
  await (await openJobManager({ chJobs: store, chLocks: store })).close();
  empty = readFileSync(file);
});

/** A folder with a store, and what is in it. */
class Place {
  readonly folder: string = folderWith({ "ojm.db": empty });

  /** Starts `ojm exec backup` with these options and this shell script. */
  exec(script: string, ...options: readonly string[]): Ojm {
    return start(this.folder, "exec", "backup", "--store", "sqlite:ojm.db", ...options, "--", "sh", "-c", script);
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  manager(): Promise<JobManager> {
    return storeIn(this.folder);
  }

  async last(): Promise<RunRecord | undefined> {
    const manager = await this.manager();
    for await (const record of manager.history({ limit: 1 })) return record;
    return undefined;
  }
}

/** A script that runs until the file `stop` exists, or until the test kills it. */
const UNTIL_STOPPED = "echo began $$; while [ ! -e stop ]; do sleep 0.02; done; echo ended";

/** The pid that the script printed. */
function pidOf({ out }: Ojm): number {
  const pid = Number(/began (\d+)/.exec(out)?.[1]);
  onTestFinished(() => kill(pid));
  return pid;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("ojm exec", () => {
  test("passes the output on, keeps it as the log, and ends as the command does", async () => {
    const place = new Place();
    const { code, out, err } = await place.exec('echo "$OJM_RUN_ID"; echo oh >&2; printf x; exit 3').ended;
    expect([code, err]).toEqual([3, "oh\n"]);
    const record = await place.last();
    expect(out).toBe(`${record?.id}\nx`);
    expect(record).toMatchObject({ status: "failed", trigger: "exec", meta: { command: "sh", timeout: 3_600_000 } });
    expect([record?.error, record?.exit]).toEqual(["it ended with exit code 3", { code: 3 }]);
    const manager = await place.manager();
    const lines: string[] = [];
    for await (const item of manager.log(record?.id ?? ""))
      if ("text" in item && "level" in item) lines.push(`${item.level} ${item.text}`);
    expect(lines.sort()).toEqual(["stderr oh", `stdout ${record?.id}`, "stdout x"]);
  });

  test("shows the timeout that was written, not that of its lock, which is longer", { tags: ["full"] }, async () => {
    const place = new Place();
    await place.exec("true", "--timeout", "2m", "--grace", "1s").ended;
    const { out } = await called(place.folder, ["show", "backup", "--store", "sqlite:ojm.db"]);
    expect(out).toMatch(/^timeout +2 min, then 1 s to end after SIGTERM$/m);
    const json = JSON.parse((await called(place.folder, ["show", "backup", "--json", "--store", "sqlite:ojm.db"])).out);
    expect(json.meta).toEqual({ command: "sh", timeout: 120_000, grace: 1_000 });
    expect(json.timeout).toBeGreaterThan(120_000);
  });

  test("holds its lock for longer than the wait, the timeout and the grace of its command together", async () => {
    const place = new Place();
    // A predecessor may use up the wait under the lock, and the command may need all of its grace after its
    // timeout.
    await place.exec("true", "--wait", "3h", "--timeout", "5h", "--grace", "2h").ended;
    expect((await place.last())?.timeout).toBeGreaterThan((3 + 5 + 2) * 3_600_000);
  });

  test("gives the command its fence, and its own input", { tags: ["full"] }, async () => {
    const place = new Place();
    const { code, out } = await place.exec('echo "$OJM_FENCE"').ended;
    expect([code, out]).toEqual([0, `${(await place.last())?.fence}\n`]);
  });

  test("gives the command its environment, and the store for an ojm within it, but not the secret of ojm ui", async () => {
    const place = new Place();
    const added = { OJM_UI_SECRET: "a secret of a test", OJM_STORE: "sqlite:ojm.db" };
    Object.assign(process.env, added);
    onTestFinished(() => {
      for (const name of Object.keys(added)) delete process.env[name];
    });
    const { code, out } = await place.exec('echo "[$OJM_UI_SECRET] [$OJM_STORE]"').ended;
    expect([code, out]).toEqual([0, "[] [sqlite:ojm.db]\n"]);
  });

  test.each([
    ["USR1", 128 + constants.signals.SIGUSR1],
    ["KILL", 137],
  ])(
    "a command that a signal ends, as SIG%s, makes it end with 128 and the number of the signal",
    async (name, code) => {
      const place = new Place();
      expect((await place.exec(`kill -${name} $$`).ended).code).toBe(code);
    },
  );

  test("refuses a second one, names the holder of the lock, and ends with 75", async () => {
    const place = new Place();
    const first = place.exec(UNTIL_STOPPED);
    await first.prints("began");
    const second = await place.exec("echo never").ended;
    expect(second).toMatchObject({
      code: 75,
      out: "",
      err: expect.stringMatching(/'backup': held by .*pid \d+, since/),
    });
    expect(await place.exec("echo never", "--quiet-if-locked").ended).toEqual({ code: 75, out: "", err: "" });
    const why = async (): Promise<string> =>
      (await called(place.folder, ["why", "backup", "--store", "sqlite:ojm.db"])).out;
    expect(await why()).toMatch(
      /2 starts by ojm exec were refused since \S+Z, the last at \S+Z, on .*: Can't lock .*held by .*pid \d+, since/,
    );
    const third = place.exec("echo third", "--wait", "60s");
    writeFileSync(place.file("stop"), "");
    expect(await first.ended).toMatchObject({ code: 0, out: expect.stringMatching(/ended\n$/) });
    expect(await third.ended).toMatchObject({ code: 0, out: "third\n" });
    expect(await why()).not.toContain("refused");
  });

  test("passes a signal on, and its run is cancelled", async () => {
    const place = new Place();
    const script = 'trap "echo bye; exit 7" TERM; echo began $$; while :; do sleep 0.02; done';
    // The grace is for a command that does not end; this one does.
    const ojm = place.exec(script, "--grace", "10m");
    await ojm.prints("began");
    ojm.process.kill("SIGTERM");
    expect(await ojm.ended).toMatchObject({ code: 143, out: expect.stringMatching(/bye\n$/) });
    expect(await place.last()).toMatchObject({
      status: "cancelled",
      error: "ojm got SIGTERM, and the command ended: it ended with exit code 7",
      exit: { code: 7 },
    });
  });

  test("a command that completes although a signal came is recorded as completed, and ojm ends with 0", async () => {
    const place = new Place();
    const ojm = place.exec(`trap "echo got it" TERM; trap "echo looked" USR1; ${UNTIL_STOPPED}`);
    await ojm.prints("began");
    ojm.process.kill("SIGUSR1");
    await ojm.prints("looked");
    ojm.process.kill("SIGTERM");
    await ojm.prints("got it");
    writeFileSync(place.file("stop"), "");
    expect(await ojm.ended).toMatchObject({
      code: 0,
      err: expect.stringMatching(
        /ojm: got SIGTERM and passed it on\. The command ended with exit code 0: its run is completed\n$/,
      ),
    });
    expect((await place.last())?.status).toBe("completed");
  });

  test("a command that ignores a signal is ended after the grace", async () => {
    const place = new Place();
    const ojm = place.exec(`trap "echo ignored" TERM; ${UNTIL_STOPPED}`, "--grace", "700ms");
    await ojm.prints("began");
    const began = performance.now();
    ojm.process.kill("SIGTERM");
    await ojm.prints("ignored");
    const { code, err } = await ojm.ended;
    expect(performance.now() - began).toBeGreaterThanOrEqual(690);
    expect(code).toBe(143);
    const what = "SIGTERM, and the command did not end within its grace of 700 ms";
    expect(err.match(/^ojm: .*$/gm)).toEqual([`ojm: got ${what}: ends the command by SIGKILL`]);
    expect(await place.last()).toMatchObject({
      status: "cancelled",
      error: "ojm got SIGTERM, and killed the command after its grace of 700 ms: it was ended by SIGKILL",
      exit: { signal: "SIGKILL" },
    });
  });

  test("a second signal ends a command that ignores the first one, but not one that comes with it", {
    tags: ["full"],
  }, async () => {
    const place = new Place();
    const ojm = place.exec(`trap "echo ignored" TERM; ${UNTIL_STOPPED}`);
    await ojm.prints("began");
    // Like timeout(1), which signals its child and then its group.
    ojm.process.kill("SIGTERM");
    ojm.process.kill("SIGTERM");
    await ojm.prints("ignored");
    const again = async (): Promise<string> => {
      // Read the pending output first: a signal at its end would end ojm by itself.
      await new Promise(setImmediate);
      if (!ojm.err.includes("second signal")) ojm.process.kill("SIGTERM");
      return ojm.err;
    };
    await expect.poll(again, { interval: 300 }).toContain("second signal");
    const { code, err } = await ojm.ended;
    expect(code).toBe(143);
    expect(err.match(/^ojm: .*$/gm)).toEqual(["ojm: got SIGTERM, the second signal: ends the command by SIGKILL"]);
    expect(await place.last()).toMatchObject({
      status: "cancelled",
      error: "ojm got a second signal, and killed the command: it was ended by SIGKILL",
    });
  });

  test("lets a command end whose reader goes away, as head does", { tags: ["full"] }, async () => {
    const place = new Place();
    const ojm = place.exec("exec yes line");
    await ojm.prints("line");
    ojm.process.stdout?.destroy();
    expect((await ojm.ended).code).toBeGreaterThan(0);
    expect(await place.last()).toMatchObject({ status: "failed" });
  });

  test("starts only with a free permit, and rejects a permit without a name or a limit", async () => {
    const place = new Place();
    const manager = await place.manager();
    const held = await manager.start("other", { permits: { stripe: 1 } });
    const refused = await place.exec("echo never", "--permit", "stripe=1").ended;
    expect(refused).toMatchObject({ code: 75, out: "" });
    expect(refused.err).toContain(`the permit "stripe" is taken, by ${held.id}`);
    const waiting = place.exec("echo began", "--permit", "stripe=1", "--permit", "disk=2", "--wait", "10m");
    await expect.poll(async () => (await manager.heldLocks()).map(({ name }) => name)).toContain("ojm permit stripe");
    await held.end();
    expect(await waiting.ended).toMatchObject({ code: 0, out: "began\n" });
    expect(await place.last()).toMatchObject({ status: "completed", permits: { stripe: 1, disk: 2 } });
    for (const [wrong, text] of [
      ["stripe", "takes one name and its limit"],
      ["=1", "takes one name and its limit"],
      ["stripe=x", "takes one name and its limit"],
      ["stripe=0", "must be a whole number from 1 to 1000"],
    ] as const) {
      const { code, err } = await place.exec("echo never", "--permit", wrong).ended;
      expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(text) });
    }
  });

  test("starts only with a free token of its rate, and rejects a rate without a name, a number or a time", async () => {
    const place = new Place();
    const manager = await place.manager();
    await manager.run("other", () => {}, { rate: { name: "smtp", max: 1, per: "1h" } });
    const refused = await place.exec("echo never", "--rate", "smtp=1/1h").ended;
    expect(refused).toMatchObject({ code: 75, out: "" });
    expect(refused.err).toContain('as many as the rate "smtp" allows');
    expect(await place.exec("echo began", "--rate", "smtp=2/1h").ended).toMatchObject({ code: 0, out: "began\n" });
    expect(await place.last()).toMatchObject({ status: "completed", rate: { name: "smtp", max: 2, per: 3_600_000 } });
    for (const [wrong, text] of [
      ["smtp", "takes a name, a number and a time"],
      ["smtp=100", "takes a name, a number and a time"],
      ["smtp=0/1m", "must be a whole number from 1 to 10000"],
      ["smtp=1/soon", "takes a name, a number and a time"],
    ] as const) {
      const { code, err } = await place.exec("echo never", "--rate", wrong).ended;
      expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(text) });
    }
  });

  test("with one --lock, commands of two names exclude each other, even once the ojm of one was killed", async () => {
    const place = new Place();
    const first = place.exec(UNTIL_STOPPED, "--lock", "smtp");
    await first.prints("began");
    const pid = pidOf(first);
    const run = (await place.last())?.id;
    const other = (): Promise<Ended> =>
      start(place.folder, "exec", "other", "--store", "sqlite:ojm.db", "--lock", "smtp", "--", "echo", "second").ended;
    const { code, err } = await other();
    expect({ code, err }).toMatchObject({ code: 75, err: expect.stringContaining("by the lock 'smtp'") });
    first.process.kill("SIGKILL");
    await once(first.process, "exit");
    const left = new RegExp(`the command of ${run} is still running, as pid ${pid}`);
    expect(await other()).toMatchObject({ code: 75, out: "", err: expect.stringMatching(left) });
    // Its own lock is another one.
    expect(await place.exec("echo apart").ended).toMatchObject({ code: 0, out: "apart\n" });
    kill(pid);
    await expect.poll(other).toMatchObject({ code: 0, out: "second\n" });
    expect(await place.last()).toMatchObject({ name: "other", lock: "smtp" });
    const wrong = await place.exec("echo never", "--lock", "").ended;
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringContaining("--lock: it must be a text that is not empty"),
    });
  });

  test("--once-key runs the command until it has completed once with this key, and then exits with 0", async () => {
    const place = new Place();
    const key = ["--once-key", "2026-11", "--keep", "30d"];
    expect((await place.exec("exit 3", ...key).ended).code).toBe(3);
    expect(await place.exec("echo paid", ...key).ended).toMatchObject({ code: 0, out: "paid\n" });
    const done = 'ojm: "backup" was not started: its key "2026-11" is done\n';
    expect(await place.exec("echo again", ...key).ended).toEqual(
      expect.objectContaining({ code: 0, out: "", err: done }),
    );
    const quiet = await place.exec("echo again", ...key, "--quiet-if-locked").ended;
    expect(quiet).toEqual(expect.objectContaining({ code: 0, out: "", err: "" }));
    expect(await place.last()).toMatchObject({ status: "completed", lock: "once/backup/2026-11" });
    const retried = ["--once-key", "2026-12", "--keep", "30d", "--retry", "3", "--retry-delay", "1ms"];
    const other = await place.exec("echo x >> tries; test $(wc -l < tries) -ge 2 && echo other", ...retried).ended;
    expect(other).toMatchObject({ code: 0, out: "other\n" });
    expect(await place.last()).toMatchObject({ status: "completed", attempt: 2, lock: "once/backup/2026-12" });
  });

  test("ends at once by a signal while it waits for the lock, or for its next attempt", async () => {
    const place = new Place();
    const manager = await place.manager();
    const held = await manager.start("backup");
    const waiting = place.exec("echo never", "--wait", "10m");
    await expect.poll(async () => (await manager.heldLocks())[0]?.waiting).toBe(1);
    waiting.process.kill("SIGINT");
    expect(await waiting.ended).toMatchObject({ code: 130, out: "" });
    await held.end();
    const retrying = place.exec("echo failed; exit 1", "--retry", "3", "--retry-delay", "10m");
    await expect.poll(async () => (await manager.retries()).length).toBe(1);
    retrying.process.kill("SIGTERM");
    const { code, out, err } = await retrying.ended;
    expect([code, out]).toEqual([143, "failed\n"]);
    expect(err).toMatch(/attempt 2 of "backup" was cancelled before it began: ojm got SIGTERM\. No attempt follows\n$/);
    const all = await collect(manager.history({ name: "backup", limit: 2 }));
    expect(all).toMatchObject([
      { attempt: 2, status: "cancelled", error: "ojm got SIGTERM" },
      { attempt: 1, status: "failed" },
    ]);
    expect(await manager.retries()).toEqual([]);
  });

  test("ends the whole group of a command that takes too long, and ends with 124", async () => {
    const place = new Place();
    const script = `trap "" TERM; ${UNTIL_STOPPED}`;
    const ojm = place.exec(script, "--timeout", "300ms", "--grace", "100ms");
    const { code, out, err } = await ojm.ended;
    // On a slow machine, SIGTERM may come before the command ignores it.
    const by = out.includes("began") ? "SIGKILL" : "SIG(TERM|KILL)";
    expect([code, err]).toEqual([
      124,
      expect.stringMatching(`^ojm: it took longer than 300 ms: it was ended by ${by}\n$`),
    ]);
    expect(await place.last()).toMatchObject({ status: "timeout", error: expect.stringMatching(/^it took longer/) });
  });

  test("ends a command in time that left a process in another group, which holds its output open", {
    tags: ["full"],
  }, async () => {
    const place = new Place();
    const left = `require("node:child_process").spawn("sleep", ["60"], { detached: true, stdio: "inherit" }).unref()`;
    const script = `trap "" TERM; ${process.execPath} -e '${left}'; ${UNTIL_STOPPED}`;
    const ojm = place.exec(script, "--timeout", "3s", "--grace", "100ms");
    expect((await ojm.ended).code).toBe(124);
    const record = await place.last();
    expect(record?.status).toBe("timeout");
    // Otherwise the timeout of the lock ends the run, more than a minute later.
    expect(record?.duration).toBeLessThan(60_000);
  });

  test.skipIf(noRedis !== undefined)(
    `says that its run is not recorded, even if the command failed${noRedis === undefined ? "" : `: ${noRedis}`}`,
    async () => {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      const frozen = await startRedis();
      onTestFinished(() => frozen.stop());
      const folder = folderWith({});
      const words = ["--store", server.url, "--", "sh", "-c", `${UNTIL_STOPPED}; exit 7`];
      const run = start(folder, "exec", "backup", ...words);
      const tried = start(folder, "exec", "tried", "--retry", "2", ...words);
      const long = start(folder, "exec", "long", "--store", server.url, "--", "sh", "-c", "echo began; exec sleep 600");
      const cut = start(
        folder,
        "exec",
        "cut",
        "--store",
        frozen.url,
        "--",
        "sh",
        "-c",
        UNTIL_STOPPED.replace("stop", "-"),
      );
      for (const one of [run, tried, long, cut]) await one.prints("began");
      await server.kill();
      frozen.freeze();
      writeFileSync(join(folder, "stop"), "");
      const { code, err } = await run.ended;
      expect([code, err]).toEqual([
        7,
        expect.stringMatching(
          /exit code 7, and its run is not recorded so far: .*Redis.* It may be recorded once the store is back\. To check: ojm show backup\nSee \S+errors\.md#\w+\n$/,
        ),
      ]);
      // The other command waits for the store, to try again, and prints that.
      await expect
        .poll(() => tried.err)
        .toMatch(/the command ended with exit code 7\. The store has not answered since/);
      tried.process.kill("SIGKILL");
      // How the command ended comes first. On a busy machine the process may notice the end of its session
      // late, and then names that as the cause.
      const lost =
        /^ojm: the command was ended by SIGKILL, as its lock was lost: .*(the store answered no renewal for 15 s|did not renew it for .* more than 15 s)\nSee \S+errors\.md#lost\n$/;
      expect(await long.ended).toMatchObject({ code: 5, err: expect.stringMatching(lost) });
      // Even if the store answers again by the time that ojm ends.
      const pid = pidOf(cut);
      await expect.poll(() => lives(pid)).toBe(false);
      frozen.thaw();
      expect(await cut.ended).toMatchObject({ code: 5, err: expect.stringMatching(/answered no renewal/) });
    },
  );

  test("does not begin while the command of an ojm that was killed is still running", async () => {
    const place = new Place();
    const first = place.exec(UNTIL_STOPPED);
    await first.prints("began");
    const pid = pidOf(first);
    first.process.kill("SIGKILL");
    await once(first.process, "exit");
    const before = await place.last();
    const stillThere = { code: 75, out: "", err: expect.stringMatching(new RegExp(`is still running, as pid ${pid}`)) };
    expect(await place.exec("echo never").ended).toMatchObject(stillThere);
    // A record for each try of cron would hide the run whose command is still running.
    expect((await place.last())?.id).toBe(before?.id);
    const waiting = place.exec("echo never", "--wait", "5s");
    const progress = async (): Promise<string> =>
      (await called(place.folder, ["ps", "backup", "--store", "sqlite:ojm.db"])).out;
    const waits = `waits for pid ${pid}, the command of ${before?.id}: its ojm was killed`;
    await expect.poll(progress).toContain(waits);
    const second = await waiting.ended;
    expect(lives(pid)).toBe(true);
    expect(second).toMatchObject(stillThere);
    expect(await place.last()).toMatchObject({
      status: "skipped",
      error: `the command did not begin: within its --wait of 5 s, the command of ${before?.id} is still running, as pid ${pid}: its ojm was killed`,
    });
    const cancelled = place.exec("echo never", "--wait", "10m");
    await expect.poll(async () => (await place.last())?.status).toBe("running");
    const cancel = ["cancel", "backup", "--reason", "not now", "--store", "sqlite:ojm.db"];
    expect((await called(place.folder, cancel)).code).toBe(0);
    const notBegun = new RegExp(`not now\\. .* had not begun: the command of .* is still running, as pid ${pid}`);
    expect(await cancelled.ended).toMatchObject({ code: 1, out: "", err: expect.stringMatching(notBegun) });
    expect(await place.last()).toMatchObject({
      status: "cancelled",
      error: expect.stringMatching(notBegun),
      endedBy: { action: "cancel", reason: "not now" },
    });
    const look = (command: string): Promise<Ended> =>
      called(place.folder, [command, "--json", "--store", "sqlite:ojm.db"]);
    for (const command of ["ps", "locks"]) {
      const { code, out, err } = await look(command);
      expect([code, err]).toEqual([0, ""]);
      expect(JSON.parse(out)).toContainEqual(expect.objectContaining({ orphan: { host: hostname(), pid } }));
      const text = await called(place.folder, [command, "--store", "sqlite:ojm.db"]);
      expect(text.err).toContain(`To end it: kill -TERM -- -${pid}`);
    }
    const end = `kill -TERM -- -${pid}`;
    const why = await called(place.folder, ["why", "backup", "--json", "--store", "sqlite:ojm.db"]);
    const reasons = JSON.parse(why.out) as { readonly code: string }[];
    // It must not say as well that nothing keeps the job from running.
    expect(reasons).toMatchObject([
      {
        code: "orphaned",
        text: expect.stringMatching(/Until it ends, no ojm exec of "backup" on this machine begins$/),
        help: end,
      },
      { code: "last" },
    ]);
    for (const command of ["cancel", "unlock"]) {
      const words = [command, "backup", "--reason", "x", "--store", "sqlite:ojm.db"];
      expect(await called(place.folder, words)).toMatchObject({ code: 3, err: expect.stringContaining(end) });
    }
    const hold = ["hold", "backup", "--reason", "x", "--store", "sqlite:ojm.db"];
    expect(await called(place.folder, hold)).toMatchObject({ code: 75, err: expect.stringContaining(end) });
    const doctor = await look("doctor");
    expect(doctor.code).toBe(1);
    expect(JSON.parse(doctor.out)).toContainEqual(
      expect.objectContaining({ check: "runs", state: "problem", evidence: expect.objectContaining({ pid }) }),
    );
    kill(pid);
    await expect
      .poll(() => place.exec("echo second", "--wait", "60s").ended)
      .toMatchObject({ code: 0, out: "second\n" });
  });

  test.each([[[]], [["--wait", "10ms"]]])(
    "--quiet-if-locked with %j reports the command of an ojm that was killed once, and how to end it",
    async (options) => {
      const place = new Place();
      const first = place.exec(UNTIL_STOPPED);
      await first.prints("began");
      const pid = pidOf(first);
      first.process.kill("SIGKILL");
      await once(first.process, "exit");
      const quiet = (): Promise<Ended> => place.exec("echo never", "--quiet-if-locked", ...options).ended;
      const { code, out, err } = await quiet();
      expect([code, out]).toEqual([75, ""]);
      expect(err).toMatch(new RegExp(`^ojm: "backup" was not started: .* is still running, as pid ${pid}: `));
      expect(err).toMatch(new RegExp(`: its ojm was killed\\. To end it: kill -TERM -- -${pid}\n$`));
      expect(await quiet()).toEqual({ code: 75, out: "", err: "" });
      // A start that is not silenced always reports it.
      expect((await place.exec("echo never", ...options).ended).err).toBe(err);
      expect(await quiet()).toEqual({ code: 75, out: "", err: "" });
    },
  );

  test("does not call an ojm killed that is only stopped, and has lost its lock", async () => {
    const place = new Place();
    const first = place.exec(UNTIL_STOPPED);
    await first.prints("began");
    const pid = pidOf(first);
    const unlock = ["unlock", "backup", "--reason", "it hangs", "--store", "sqlite:ojm.db"];
    // A process that is stopped within a commit keeps the file of SQLite locked: stop it at another moment.
    for (let code: number | null = EXIT.away; code !== 0; ) {
      first.process.kill("SIGSTOP");
      ({ code } = await called(place.folder, unlock));
      expect([0, EXIT.away]).toContain(code);
      if (code !== 0) first.process.kill("SIGCONT");
    }
    const told = `as pid ${pid}: its ojm, pid ${first.process.pid}, is stopped or hangs, and has lost the lock`;
    expect(await place.exec("echo never").ended).toMatchObject({ code: 75, err: expect.stringContaining(told) });
    const why = await called(place.folder, ["why", "backup", "--store", "sqlite:ojm.db"]);
    expect(why.out).toContain(`its ojm, pid ${first.process.pid}, is stopped or hangs, and has lost the lock`);
    first.process.kill("SIGCONT");
    expect(await first.ended).toMatchObject({ code: 1, err: expect.stringContaining("its lock was lost") });
    expect(lives(pid)).toBe(false);
  });

  test("kills the command when its lock is taken by force", async () => {
    const place = new Place();
    const ojm = place.exec(`trap "" TERM; ${UNTIL_STOPPED}`);
    await ojm.prints("began");
    const pid = pidOf(ojm);
    await (await place.manager()).unlock("backup", { reason: "it hangs" });
    // The first check of a new lease may find the loss before the reason, which arrived after it was read.
    expect(await ojm.ended).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^ojm: the command was ended by SIGKILL, as its lock was lost: (it was unlocked by force, by .*: it hangs|its entry was removed or replaced, .*)\nSee \S+errors\.md#lost\n$/,
      ),
    });
    expect(lives(pid)).toBe(false);
  });

  test("kills the command when its lock is taken by force within the grace of a cancel", {
    tags: ["full"],
  }, async () => {
    const place = new Place();
    const ojm = place.exec(`trap "echo got it" TERM; ${UNTIL_STOPPED}`, "--grace", "20m");
    await ojm.prints("began");
    const pid = pidOf(ojm);
    const manager = await place.manager();
    await manager.cancel("backup", { reason: "wrong month", wait: 0 });
    await ojm.prints("got it");
    await manager.unlock("backup", { reason: "it hangs" });
    expect(await ojm.ended).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^ojm: the command was ended by SIGKILL, as its lock was lost: it was unlocked by force, by .*: it hangs$/m,
      ),
    });
    expect(lives(pid)).toBe(false);
  });

  test.runIf(existsSync("/dev/full"))(
    "fails if its output cannot be written, although its command ends well",
    async () => {
      const place = new Place();
      const words = ["exec", "backup", "--store", "sqlite:ojm.db", "--", "echo", "last words"];
      const intoFull = ["/bin/sh", "-c", 'exec "$@" > /dev/full', "sh"];
      const { code, err } = await new Ojm(place.folder, words, process.env, intoFull).ended;
      expect([code, err]).toEqual([1, expect.stringMatching(/^ojm: its stdout was not written: ENOSPC/)]);
      expect(await place.last()).toMatchObject({
        status: "failed",
        error: expect.stringMatching(/not written: ENOSPC/),
      });
    },
  );

  test("tries again as often as it is asked to", async () => {
    const place = new Place();
    // More than ten: Node warns about that many listeners of one stream.
    const options = ["--retry", "12", "--retry-delay", "1ms"];
    const { code, err } = await place.exec("echo >> tries; [ $(wc -l < tries) -eq 12 ]", ...options).ended;
    expect(code).toBe(0);
    expect(err).toMatch(
      /^(ojm: attempt \d+ of 12 failed: it ended with exit code 1\. The next one begins in .*\n){11}$/,
    );
    expect(await place.last()).toMatchObject({ attempt: 12, status: "completed" });
  });

  test.each<[readonly string[], RegExp]>([
    [[], /needs a name and a command: ojm exec NAME -- COMMAND/],
    [["backup"], /needs a command after two dashes/],
    [["backup", "sleep", "1"], /"sleep" is before the two dashes/],
    [["backup", "--timeout", "1", "--", "true"], /--timeout takes a duration with its unit, such as 90s/],
    [["backup", "--timeot", "1s", "--", "true"], /no option --timeot\. Did you mean --timeout\?/],
    [["backup", "--profile", "prod", "--", "true"], /--profile prod: there is no ojm\.config\.json/],
    [["backup", "--store", "mysql://x", "--", "true"], /there is no kind of store "mysql": write redis:/],
  ])("refuses the words %j", async (words, message) => {
    const refusal = given("exec", ...words).then(execute);
    await expect(refusal).rejects.toMatchObject({ code: 2, message: expect.stringMatching(message) });
  });

  test("reports a missing command by 127", async () => {
    const place = new Place();
    const words = ["exec", "backup", "--store", "sqlite:ojm.db", "--", "no-such-command"];
    expect((await start(place.folder, ...words).ended).code).toBe(127);
    expect(await place.last()).toMatchObject({ status: "failed", error: "there is no such command" });
  });
});
