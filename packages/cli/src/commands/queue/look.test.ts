import type { JobManager } from "@ojm/core";
import type { Queues } from "@ojm/queue";
import { beforeEach, expect, test } from "vitest";
import { called } from "../../testing/called.js";
import { readPrinted } from "../../testing/printed-json.js";
import { queuesInFolder } from "../../testing/store.js";

let folder: string;
let manager: JobManager;
let queues: Queues;

beforeEach(async () => {
  ({ folder, manager, queues } = await queuesInFolder());
});

/** The JSON of a command, which must match its schema. */
async function json(command: string, ...words: string[]): Promise<object[]> {
  const { out } = await called(folder, [...command.split(" "), ...words, "--json", "--store", "sqlite:ojm.db"]);
  const { value, errors } = readPrinted(command, out);
  expect([command, errors]).toEqual([command, []]);
  return value as object[];
}

const codes = async (): Promise<unknown[]> => (await json("why", "q")).map((reason) => "code" in reason && reason.code);

/** A handler that runs until its attempt must stop. */
const untilStopped = ({ signal }: { readonly signal: AbortSignal }): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve()));

test("ojm why reports how the items of a queue stand, and what helps", async () => {
  await queues.add("q", 1);
  await queues.add("q", 2, { delay: "1h" });
  expect(await json("why", "q")).toMatchObject([
    {
      code: "queue-unattended",
      text: expect.stringMatching(/^1 item waits, the oldest added at 20\S+Z, and no living worker takes them$/),
      help: "start the program that works the queue, or: ojm queue work q -- COMMAND …",
    },
    {
      code: "queue-delayed",
      text: expect.stringMatching(/^1 item waits for its time, the first one until 20\S+Z$/),
      help: "ojm queue show q --state delayed",
    },
  ]);
  const worker = await queues.work("q", untilStopped);
  await expect.poll(async () => (await queues.counts("q")).active).toBe(1);
  expect(await codes()).toEqual(["queue-delayed", "queue-empty"]);
  await queues.add("q", 3);
  expect(await json("why", "q")).toMatchObject([
    { code: "queue-busy", text: expect.stringContaining("all slots are taken (1 worker for 1 item at once)") },
    { code: "queue-delayed" },
  ]);
  await queues.pause("q", { reason: "a test", author: "ana" });
  expect((await json("why", "q"))[0]).toMatchObject({
    ...{ code: "queue-paused", text: "it is paused by ana: a test", help: "ojm queue resume q" },
  });
  await worker.close({ grace: 0 });
  expect((await codes()).slice(0, 2)).toEqual(["queue-paused", "queue-unattended"]);
});

test("ojm why reports a trigger that waits for further ones, or for the end of the active attempt", async () => {
  await queues.trigger("q", 1, { after: "1h" });
  expect(await codes()).toEqual(["queue-delayed", "queue-empty"]);
  await queues.trigger("p", 1);
  const worker = await queues.work("p", untilStopped);
  await expect.poll(async () => (await queues.counts("p")).active).toBe(1);
  await queues.trigger("p", 2);
  expect((await json("why", "p"))[0]).toMatchObject({
    ...{ code: "queue-follows", help: "ojm queue show p --state active" },
    text: "newer data waits for the end of 1 active item: one more attempt with it follows",
  });
  await worker.close({ grace: 0 });
});

test("ojm ps and ojm runs show the attempts of items, with the locks of the items", async () => {
  await queues.define("q", { delay: 0 });
  const { id } = await queues.add("q", 1);
  const worker = await queues.work("q", async (item) => {
    if (item.attempt === 1) throw new Error("no");
    await untilStopped(item);
  });
  await expect.poll(async () => (await queues.item("q", id))?.attempt).toBe(2);
  await expect.poll(async () => (await queues.item("q", id))?.state).toBe("active");
  expect(await json("ps", "q")).toMatchObject([{ name: "q", lock: `queue/q/${id}`, meta: { item: id, attempt: 2 } }]);
  const { out } = await called(folder, ["ps", "q", "--store", "sqlite:ojm.db"]);
  expect(out).toMatch(new RegExp(`^q .* 2 .*queue/q/${id}$`, "m"));
  expect(await json("runs", "q")).toMatchObject([{ status: "running" }, { status: "failed", error: "no" }]);
  await worker.close({ grace: 0 });
});

test("ojm hold of a queue names the command that stops its items, and sets no hold", async () => {
  await queues.add("mail", 1);
  const hold = (...more: string[]): ReturnType<typeof called> =>
    called(folder, ["hold", "mail", "--reason", "a test", "--store", "sqlite:ojm.db", ...more]);
  expect(await hold()).toEqual({
    code: 2,
    out: "",
    err: expect.stringMatching(/^ojm: "mail" is a queue, .* To stop them: ojm queue pause mail --reason …\. /),
  });
  expect(await json("locks")).toEqual([]);
  expect(await hold("--new")).toMatchObject({ code: 0, out: expect.stringMatching(/^"mail" is held until /) });
});

test("a queue without runs is known, and the name of a queue is suggested", async () => {
  await queues.add("mail", 1);
  const none = await called(folder, ["ps", "mail", "--store", "sqlite:ojm.db"]);
  expect(none).toEqual({ code: 0, out: '"mail" does not run\n', err: "" });
  const misspelt = await called(folder, ["why", "mial", "--store", "sqlite:ojm.db"]);
  expect(misspelt).toMatchObject({ code: 3, err: expect.stringContaining('Did you mean "mail"?') });
});

test("handlers that ignore their signals are counted by show, why and doctor", async () => {
  await queues.add("q", 1);
  const by = { host: "host-b", pid: 7, instance: "b" };
  const worker = { by, concurrency: 1, hung: 2 };
  await manager.channel("oJobManager-queues").then((channel) => channel.set(["m", "q", "b-0"], worker as never));
  expect(await json("queue show", "q")).toMatchObject({ workers: 1, slots: 1, hung: 2 });
  const { out } = await called(folder, ["queue", "show", "q", "--store", "sqlite:ojm.db"]);
  expect(out).toMatch(/^hung +2 handlers, although the signal fired$/m);
  expect(await json("doctor")).toContainEqual(
    expect.objectContaining({
      ...{ check: "queues", state: "warning" },
      text: 'the queue "q": 2 handlers ignore their signals and keep their slots (1 worker for 1 item at once)',
    }),
  );
  expect(JSON.stringify(await json("why", "q"))).toContain("2 handlers ignore their signals");
});

test("ojm doctor finds a queue with waiting items and no worker, dead letters, and a pause", async () => {
  const findings = async (): Promise<object[]> =>
    (await json("doctor")).filter((one) => "check" in one && (one.check === "queues" || one.check === "pauses"));
  expect(await findings()).toEqual([]);
  await queues.add("q", 1, { attempts: 1 });
  expect(await findings()).toMatchObject([
    { state: "ok", text: "1 queue of work items, 0 workers" },
    { state: "warning", text: expect.stringMatching(/^the queue "q": 1 item waits, .* no living worker takes them$/) },
  ]);
  const worker = await queues.work("q", () => Promise.reject(new Error("no")));
  await expect.poll(async () => (await queues.counts("q")).dead).toBe(1);
  await queues.pause("q", { reason: "a test", author: "ana" });
  expect(await findings()).toMatchObject([
    { state: "ok", text: "1 queue of work items, 1 worker" },
    { check: "pauses", text: 'the queue "q": it is paused by ana: a test', help: "ojm queue resume q" },
    { state: "warning", text: 'the queue "q": 1 dead letter' },
  ]);
  await worker.close();
});

test("ojm why names the limits that the next item of a queue waits for: permits, a rate, that of its group", async () => {
  // Its last run, which did not have the limits, does not count.
  await queues.add("q", 1);
  const first = await queues.work("q", () => {});
  await expect.poll(async () => (await json("runs", "q")).length).toBe(1);
  await first.close();
  const rate = { name: "smtp", max: 1, per: "1h" } as const;
  const run = await manager.start("other", { permits: { stripe: 1 }, rate });
  await queues.define("q", { permits: { stripe: 1 }, rate });
  await queues.add("q", 1);
  const limits = [
    { code: "permit", text: expect.stringContaining(`the permit "stripe" is taken, by ${run.id} on `) },
    { code: "rate", text: expect.stringMatching(/^one run has begun within 1 h, .* "smtp" .* the next may begin in /) },
  ];
  expect(await json("why", "q")).toMatchObject([{ code: "queue-unattended" }, ...limits, { code: "last" }]);
  const worker = await queues.work("q", untilStopped);
  const text = expect.stringContaining(": the limits of the queue let none start now (1 worker for 1 item at once)");
  expect(await json("why", "q")).toMatchObject([{ code: "queue-waiting", text }, ...limits, { code: "last" }]);
  await worker.close({ grace: 0 });
  await run.end();

  await queues.define("g", { perGroup: 1 });
  const { id } = await queues.add("g", 1, { group: "ana" });
  await queues.add("g", 2, { group: "ana" });
  const other = await queues.work("g", untilStopped, { concurrency: 2 });
  await expect.poll(async () => (await queues.item("g", id))?.state).toBe("active");
  const [active] = (await queues.item("g", id))?.runs ?? [];
  expect((await json("why", "g"))[1]).toMatchObject({
    ...{ code: "permit", text: expect.stringContaining(`the permit "queue/g/group/ana" is taken, by ${active} on `) },
  });
  await other.close({ grace: 0 });
});

test("the commands say that a queue is under maintenance, by whom and until when, and doctor warns once", async () => {
  await queues.add("q", 1);
  const until = Date.now() + 3_600_000;
  await manager.startMaintenance({ names: "q*", reason: "a move", author: "ana", until });
  const iso = new Date(until).toISOString();
  const text = `it is under maintenance of q* by ana until ${iso}: a move`;
  expect((await json("why", "q"))[0]).toMatchObject({
    code: "queue-maintenance",
    text,
    help: "ojm maintenance off 'q*'",
  });
  const shown = async (...words: string[]): Promise<string> =>
    (await called(folder, [...words, "--store", "sqlite:ojm.db"])).out;
  expect(await shown("queue", "ls")).toContain("under maintenance of q* by ana until ");
  expect(await shown("queue", "show", "q")).toMatch(/^state +under maintenance of q\* by ana until /m);
  const about = (await json("doctor")).filter((one) => JSON.stringify(one).includes("a move"));
  expect(about).toMatchObject([{ check: "maintenance", state: "warning" }]);
  const paused = await called(folder, ["queue", "pause", "q", "--reason", "a test", "--store", "sqlite:ojm.db"]);
  expect(paused).toMatchObject({ code: 0, out: expect.not.stringContaining("replaced") });
  expect(await shown("maintenance", "off")).toMatch(/^ended the maintenance of q\* by ana [^\n]*\n$/);
});

test("ojm doctor says in how many lines runs wait for permits, and does not count these as locks", async () => {
  const run = await manager.start("other", { permits: { stripe: 1 } });
  await queues.define("q", { permits: { stripe: 1 } });
  await queues.add("q", 1);
  const worker = await queues.work("q", untilStopped);
  await expect.poll(async () => (await manager.heldLocks()).length).toBe(2);
  const [locks] = (await json("doctor")).filter((one) => "check" in one && one.check === "locks");
  expect(locks).toMatchObject({
    text: "1 lock held; runs wait for permits or rates in 1 line",
    evidence: { plain: 0 },
  });
  await run.end();
  await worker.close({ grace: 0 });
});

test("ojm pause and ojm resume of a queue name the command for queues", async () => {
  await queues.add("mail", 1);
  for (const verb of ["pause", "resume"])
    expect(await called(folder, [verb, "mail", "--reason", "x", "--store", "sqlite:ojm.db"])).toMatchObject({
      ...{ code: 3, err: `ojm: "mail" is a queue, and has no schedule: ojm queue ${verb} mail\n` },
    });
});

test("a maintenance that cancels gives the items of its queues back: they wait, with the same attempt", async () => {
  const { id } = await queues.add("q", 1);
  const worker = await queues.work("q", async (item) => {
    await untilStopped(item);
    throw item.signal.reason;
  });
  await expect.poll(async () => (await queues.item("q", id))?.state).toBe("active");
  const on = await called(folder, ["maintenance", "on", "q", "--cancel", "--reason", "x", "--store", "sqlite:ojm.db"]);
  expect(on).toMatchObject({
    code: 0,
    out: expect.stringContaining("maintenance of 1 queue, q. 1 run asked to stop."),
  });
  await expect.poll(() => queues.item("q", id), { timeout: 20_000 }).toMatchObject({ state: "waiting", attempt: 1 });
  await worker.close({ grace: 0 });
});

test("ojm queue show prints the newer data of a trigger and its time, and purge --dry-run removes nothing", async () => {
  await queues.trigger("q", "old");
  const worker = await queues.work("q", untilStopped);
  await expect.poll(async () => (await queues.counts("q")).active).toBe(1);
  const { id } = await queues.trigger("q", { newer: true }, { after: "1h" });
  const { out } = await called(folder, ["queue", "show", "q", id, "--store", "sqlite:ojm.db"]);
  expect(out).toMatch(/^newer data +\{\n? *"newer": true/m);
  expect(out).toMatch(/^newer due +20\S+Z$/m);
  await queues.add("q", 2);
  expect(await json("queue purge", "q", "--dry-run")).toEqual({ dryRun: true, queue: "q", state: "waiting", items: 1 });
  expect((await queues.counts("q")).waiting).toBe(1);
  await worker.close({ grace: 0 });
});
