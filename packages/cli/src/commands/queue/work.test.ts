import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ChannelError, type JobManager, type RunRecord } from "@ojm/core";
import type { Queues } from "@ojm/queue";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { collect } from "../../../../core/src/testing/settle.js";
import { type Ojm, start } from "../../testing/ojm.js";
import { queuesInFolder } from "../../testing/store.js";
import { ItemCommands } from "./item-commands.js";

let folder: string;
let manager: JobManager;
let queues: Queues;

beforeEach(async () => {
  ({ folder, manager, queues } = await queuesInFolder());
});

/** Starts `ojm queue work q` with these options and this shell script. */
function work(script: string, ...options: readonly string[]): Ojm {
  return start(folder, "queue", "work", "q", "--store", "sqlite:ojm.db", ...options, "--", "sh", "-c", script);
}

/** A script that prints its pid, and runs until the file `stop` exists. */
const UNTIL_STOPPED = "echo began $$; while [ ! -e stop ]; do sleep 0.02; done; echo ended";

const stop = (): void => writeFileSync(join(folder, "stop"), "");

/** The runs of the queue, oldest first. */
const runs = async (): Promise<RunRecord[]> => (await collect(manager.history({ name: "q" }))).reverse();

const statuses = async (): Promise<string[]> => (await runs()).map(({ status }) => status);

const state = async (id: string): Promise<string | undefined> => (await queues.item("q", id))?.state;

/** Ends the command of a killed worker with the test. */
function pidOf({ out }: Ojm): number {
  const pid = Number(/began (\d+)/.exec(out)?.[1]);
  onTestFinished(() => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone.
    }
  });
  return pid;
}

describe("ojm queue work", () => {
  test("gives the command the data on stdin and its item in the environment, and drains the queue", async () => {
    const { id } = await queues.add("q", { to: "ana", quote: "it's" });
    const other = await queues.add("q", null);
    const script = 'read -r data; echo "$OJM_QUEUE $OJM_ITEM $OJM_ATTEMPT $OJM_RUN_ID $OJM_FENCE $data"; echo oh >&2';
    const { code, out, err } = await work(script, "--drain").ended;
    const [first, second] = await runs();
    expect([code, err]).toEqual([0, "oh\noh\n"]);
    expect(out).toBe(
      `q ${id} 1 ${first?.id} ${first?.fence} {"to":"ana","quote":"it's"}\nq ${other.id} 1 ${second?.id} ${second?.fence} null\n`,
    );
    expect(first).toMatchObject({ status: "completed", trigger: "queue", lock: `queue/q/${id}`, exit: { code: 0 } });
    const lines = await collect(manager.log(first?.id ?? ""));
    expect(lines).toContainEqual(expect.objectContaining({ level: "stdout", text: expect.stringContaining(id) }));
    expect(await collect(queues.items("q"))).toEqual([]);
  });

  test("a queue that does not exist is not drained, and a worker without --drain says that it waits for it", async () => {
    const drained = await work("true", "--drain").ended;
    expect(drained).toMatchObject({ code: 3, err: 'ojm: there is no queue "q". The store has none.\n' });
    expect(await collect(queues.list())).toEqual([]);
    const worker = work("true");
    await expect.poll(() => worker.err).toMatch(/there is no queue "q" yet: waits for its first item/);
    await expect.poll(async () => (await queues.counts("q")).workers).toBe(1);
    worker.process.kill("SIGTERM");
    expect((await worker.ended).code).toBe(143);
    expect(await work("true", "--drain", "--new").ended).toMatchObject({ code: 0, err: "" });
  });

  test("ends once its SQLite file is deleted", async () => {
    await queues.define("q", {});
    const worker = work("true");
    await expect.poll(async () => (await queues.counts("q")).workers).toBe(1);
    for (const end of ["", "-wal", "-shm"]) rmSync(join(folder, `ojm.db${end}`), { force: true });
    const { code, err } = await worker.ended;
    expect([code, err.match(/^ojm: SQLite file .* was deleted or replaced/gm)]).toEqual([5, [expect.anything()]]);
  });

  test("a command that fails is tried again, and its item becomes a dead letter", async () => {
    await queues.define("q", { attempts: 2, delay: 0 });
    const { id } = await queues.add("q", 1);
    const { code, err } = await work("exit 3", "--drain").ended;
    expect(code).toBe(1);
    expect(err).toBe(
      [1, 2].map((n) => `ojm: attempt ${n} of 2 of the item ${id} of "q" failed: it ended with exit code 3\n`).join(""),
    );
    expect(await queues.item("q", id)).toMatchObject({ state: "dead", error: "it ended with exit code 3" });
    expect(await runs()).toMatchObject([{ status: "failed", exit: { code: 3 } }, { status: "failed" }]);
  });

  test("exit code 75 gives the item back for later, and the attempt does not count", async () => {
    await queues.define("q", { attempts: 1 });
    const { id } = await queues.add("q", 1);
    expect(await work("exit 75", "--drain", "--later", "1h").ended).toMatchObject({ code: 0, err: "" });
    expect(await queues.item("q", id)).toMatchObject({ state: "delayed", attempt: 1 });
    expect(await runs()).toMatchObject([{ status: "skipped", error: expect.stringContaining("try again in 1 h") }]);
  });

  test("an item whose command has not begun, because the store was away, is given back", async () => {
    const locks = Object.create(manager.channels.locks, {
      get: { value: () => Promise.reject(new ChannelError("UNAVAILABLE", "restarts", { retryable: true })) },
    });
    let asked = 0;
    const away = Object.create(manager, {
      channels: { get: () => (asked++ === 0 ? { locks } : manager.channels) },
    });
    const commands = new ItemCommands(away, { words: ["true"], grace: 1_000, later: 60_000 });
    await queues.define("q", { attempts: 1 });
    await queues.work("q", (item) => commands.handle(item));
    await queues.add("q", 1);
    await expect.poll(statuses).toEqual(["skipped", "completed"]);
    const [first] = await runs();
    expect(first).toMatchObject({ error: expect.stringContaining("its command did not begin: restarts") });
  });

  test("a command that does not read its input does not disturb the worker", async () => {
    await queues.add("q", "x".repeat(500_000));
    expect(await work("exec 0<&-; exit 0", "--drain").ended).toMatchObject({ code: 0, err: "" });
  });

  test("a command that takes too long gets SIGTERM before its item is lost, and the attempt times out", async () => {
    await queues.define("q", { attempts: 1, timeout: 4_000 });
    const { id } = await queues.add("q", 1);
    const { code, err } = await work("trap 'echo asked; exit 9' TERM; while :; do sleep 0.02; done", "--drain").ended;
    expect([code, err]).toEqual([1, expect.stringMatching(/: it took longer than 2 s: it ended with exit code 9\n$/)]);
    expect(await runs()).toMatchObject([{ status: "timeout", exit: { code: 9 } }]);
    expect(await state(id)).toBe("dead");
  });

  test("a run that is cancelled ends its command, and its item is dead", async () => {
    const { id } = await queues.add("q", 1);
    const worker = work(UNTIL_STOPPED);
    await worker.prints("began");
    const [run] = await runs();
    expect(await manager.cancel(run?.id ?? "", { reason: "wrong", wait: 30_000 })).toMatchObject({ ended: true });
    await expect.poll(() => state(id)).toBe("dead");
    await expect.poll(() => worker.err).toMatch(/^ojm: attempt 1 of 5 .* of "q" is over: .* was cancelled: .*wrong\n$/);
    expect(await statuses()).toEqual(["cancelled"]);
  });

  test("runs as many commands at once as --concurrency says", async () => {
    for (let i = 0; i < 3; i++) await queues.add("q", i);
    const worker = work(UNTIL_STOPPED, "--drain", "--concurrency", "2");
    await expect.poll(() => worker.out.match(/began/g)?.length).toBe(2);
    expect(await queues.counts("q")).toMatchObject({ active: 2, waiting: 1, workers: 1, slots: 2 });
    stop();
    expect((await worker.ended).code).toBe(0);
    expect(await statuses()).toEqual(["completed", "completed", "completed"]);
  });
});

describe("a signal to ojm queue work", () => {
  test("lets its command end within the grace, and takes no further item", async () => {
    for (const data of [1, 2]) await queues.add("q", data);
    const worker = work(UNTIL_STOPPED, "--grace", "60s");
    await worker.prints("began");
    worker.process.kill("SIGTERM");
    await expect
      .poll(() => worker.err)
      .toBe("ojm: got SIGTERM: takes no further item, and waits 1 min for its commands\n");
    stop();
    expect((await worker.ended).code).toBe(143);
    expect(await statuses()).toEqual(["completed"]);
    expect(await queues.counts("q")).toMatchObject({ waiting: 1, active: 0, workers: 0 });
  });

  test("ends the command after the grace, and gives the item back, uncounted", async () => {
    await queues.define("q", { attempts: 1 });
    const { id } = await queues.add("q", 1);
    const worker = work(`trap 'echo asked; exit 1' TERM; ${UNTIL_STOPPED}`, "--grace", "100ms");
    await worker.prints("began");
    worker.process.kill("SIGINT");
    const { code, out } = await worker.ended;
    expect([code, out]).toEqual([130, expect.stringMatching(/asked\n$/)]);
    expect(await queues.item("q", id)).toMatchObject({ state: "waiting", attempt: 1 });
    expect(await runs()).toMatchObject([
      { status: "skipped", error: expect.stringMatching(/^its worker got SIGINT, and its grace of 100 ms was over: /) },
    ]);
  });

  test("a second one ends the command at once", async () => {
    const { id } = await queues.add("q", 1);
    const worker = work(`trap '' TERM; ${UNTIL_STOPPED}`, "--grace", "1h");
    await worker.prints("began");
    worker.process.kill("SIGTERM");
    await expect.poll(() => worker.err).toContain("waits 1 h");
    // Signals within a second count as one.
    const again = setInterval(() => worker.process.kill("SIGTERM"), 1_100);
    expect((await worker.ended).code).toBe(143);
    clearInterval(again);
    expect(worker.err).toContain("ojm: got SIGTERM, the second signal: ends the commands by SIGKILL");
    expect(await state(id)).toBe("waiting");
  });
});

describe("a worker that is killed", () => {
  test("its item is done by another one, which waits for the command that is still running", async () => {
    const { id } = await queues.add("q", 1);
    const first = work(UNTIL_STOPPED);
    await first.prints("began");
    const pid = pidOf(first);
    first.process.kill("SIGKILL");
    await first.ended;
    const second = work(`echo "attempt $OJM_ATTEMPT"`);
    await expect.poll(async () => (await runs()).map(({ status }) => status)).toEqual(["lost", "running"]);
    const run = (await runs())[1];
    await expect
      .poll(async () => (await manager.progress(run?.id ?? ""))?.text)
      .toBe(`waits for pid ${pid}, the command of ${(await runs())[0]?.id}: its ojm was killed`);
    expect(second.out).toBe("");
    stop();
    await second.prints("attempt 2\n");
    await expect.poll(statuses).toEqual(["lost", "completed"]);
    expect(await queues.item("q", id)).toBeUndefined();
  });
});

describe("a worker that cannot begin", () => {
  test.each<[readonly string[], RegExp]>([
    [["q"], /needs a command after two dashes: ojm queue work QUEUE -- COMMAND …/],
    [["q", "true"], /"true" is before the two dashes/],
    [[], /needs a queue and a command/],
    [["q", "--", "no-such-command-of-a-test"], /there is no command "no-such-command-of-a-test"/],
    [["q", "--", fileURLToPath(import.meta.url)], /work\.test\.ts" cannot be executed/],
    [["q", "--concurrency", "0", "--", "true"], /--concurrency takes a whole number from 1 up/],
    [["q", "--concurrency", "1001", "--", "true"], /concurrency must be a whole number from 1 to 1000/],
  ])("prints why: %j", async (words, message) => {
    const { called } = await import("../../testing/called.js");
    const ended = await called(folder, ["queue", "work", "--store", "sqlite:ojm.db", ...words]);
    expect(ended).toEqual({ code: 2, out: "", err: expect.stringMatching(message) });
  });

  test("because the name of its queue is misspelt, or the queue is paused", async () => {
    await queues.add("qu", 1);
    expect(await work("true").ended).toMatchObject({ code: 3, err: expect.stringContaining('Did you mean "qu"?') });
    await queues.add("q", 1);
    await queues.pause("q", { reason: "a test", author: "ana" });
    expect(await work("true", "--drain").ended).toEqual({
      code: 75,
      out: "",
      err: 'ojm: the queue "q" is paused by ana: a test\n',
    });
  });
});
