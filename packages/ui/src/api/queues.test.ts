import { openQueues, type Queues } from "@ojm/queue";
import { afterEach, beforeEach, expect, test } from "vitest";
import type {
  ActAnswer,
  Audit,
  Jobs,
  Now,
  QueueDetail,
  QueueItemPage,
  QueueItems,
  Queues as QueuesAnswer,
  ReasonView,
  Why,
} from "../contract/types.js";
import { addDead, openTestUi, type TestUi } from "../testing/test-ui.js";

let it: TestUi;
let queues: Queues;

beforeEach(async () => {
  it = await openTestUi();
  queues = openQueues(it.manager);
});

afterEach(async () => {
  await queues.close();
  await it[Symbol.asyncDispose]();
});

const reason = "the server is back";

const detail = (): Promise<QueueDetail> => it.get("/api/v1/queues/mail");
const done = async (path: string, body: object = {}): Promise<ActAnswer> => {
  const answer = await it.act(`/api/v1/queues/mail/${path}`, { reason, ...body });
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
};
const states = async (): Promise<unknown[]> => {
  const { items } = await it.get<QueueItems>("/api/v1/queues/mail/items");
  return items.map(({ state }) => state);
};

test("a queue with dead letters is a problem with their number and their retry, and why has both", async () => {
  await addDead(it.manager, "mail", ["no route", "no route"]);
  const problems = async (): Promise<Now["problems"]> => (await it.get<Now>("/api/v1/now")).problems;
  await expect
    .poll(problems)
    .toMatchObject([{ kind: "failed", name: "mail", text: "no route", act: "queue-retry", queue: { dead: 2 } }]);
  const { reasons } = await it.get<Why>("/api/v1/jobs/mail/why");
  expect(reasons.map(({ code, text }) => [code, text]).slice(0, 2)).toEqual([
    ["queue-dead", "2 dead letters"],
    ["queue-empty", "no item waits for a worker, and none is active (no worker)"],
  ]);
  expect(reasons.map(({ code }) => code)).not.toContain("ready");
});

test("queues have their items by state, how long the oldest one waits, and their workers", async () => {
  for (const name of ["mail", "image"]) await queues.define(name);
  await queues.add("mail", 1);
  await queues.add("mail", 2, { delay: "1h" });
  const first = await it.get<QueuesAnswer>("/api/v1/queues?limit=1");
  expect(first).toMatchObject({ queues: [{ name: "image", waiting: 0, workers: 0 }], more: true });
  const rest = await it.get<QueuesAnswer>("/api/v1/queues?after=image");
  expect(rest).toMatchObject({ more: false });
  expect(rest.queues).toMatchObject([{ name: "mail", waiting: 1, delayed: 1, active: 0, dead: 0, workers: 0 }]);
  const [waiting] = (await it.get<QueueItems>("/api/v1/queues/mail/items?state=waiting")).items;
  expect(rest.queues[0]?.oldest).toBe(waiting?.added);
  expect(await it.get("/api/v1/queues?q=MAI")).toMatchObject({ queues: [{ name: "mail" }] });
  await queues.work(
    "mail",
    ({ signal }) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
    {
      concurrency: 3,
    },
  );
  await expect.poll(detail).toMatchObject({ waiting: 0, active: 1, workers: 1, slots: 3 });
  expect((await it.send("GET", "/api/v1/queues/none")).status).toBe(404);
  expect((await it.send("GET", "/api/v1/queues/none/items")).status).toBe(404);
  expect((await it.send("GET", "/api/v1/queues/mail/items?state=lost")).status).toBe(400);
  await queues.close({ grace: 0 });
});

test("a hold of a queue is refused, because it would not stop its items, and its job offers a pause", async () => {
  await addDead(it.manager, "mail", ["no route"]);
  for (const dryRun of [false, true]) {
    const { status, body } = await it.act("/api/v1/jobs/mail/hold", { reason, dryRun });
    expect([status, body]).toMatchObject([409, { error: { message: expect.stringContaining("pause the queue") } }]);
  }
  expect(await it.get("/api/v1/jobs/mail")).toMatchObject({ name: "mail", queue: true });
  const { jobs } = await it.get<Jobs>("/api/v1/jobs");
  expect(jobs).toMatchObject([{ name: "mail", queue: true }]);
  await it.manager.run("plain", () => {});
  expect(await it.get("/api/v1/jobs/plain")).not.toHaveProperty("queue");
});

test("a queue shows its attempts by the minute, and its dead letters by their errors", async () => {
  const texts = ["no route to 10.0.0.1, mail 4711", "no route to 10.0.0.2, mail 4712", "mailbox full"];
  const ids = await addDead(it.manager, "mail", texts);
  const { minutes, errors, truncated, dead, definition } = await detail();
  expect([dead, truncated, definition["attempts"]]).toEqual([3, false, 1]);
  const failed = minutes.reduce((sum, { runs }) => sum + (runs.failed ?? 0), 0);
  expect(failed).toBe(3);
  expect(errors.map(({ count, error }) => [count, error.replace(/\d+(\.\d+)*/g, "#")])).toEqual([
    [2, "no route to #, mail #"],
    [1, "mailbox full"],
  ]);
  expect(ids).toContain(errors[0]?.item);
});

test("an item shows its attempts, and its data only with showResults", async () => {
  const [id = ""] = await addDead(it.manager, "mail", ["no route"]);
  const hidden = await it.get<QueueItemPage>(`/api/v1/queues/mail/items/${id}`);
  expect(hidden.item).toMatchObject({ id, state: "dead", error: "no route", dataHidden: true });
  expect(Object.keys(hidden.item)).not.toEqual(expect.arrayContaining(["data"]));
  expect(JSON.stringify(hidden)).not.toContain('"text"');
  expect(hidden.attempts).toMatchObject([{ name: "mail", status: "failed", id: hidden.item.runs[0] }]);
  await using showing = await openTestUi({ manager: it.manager, showResults: true });
  const shown = await showing.get<QueueItemPage>(`/api/v1/queues/mail/items/${id}`);
  expect(shown.item).toMatchObject({ data: { text: "no route" }, meta: { text: "no route" } });
  expect((await it.send("GET", "/api/v1/queues/mail/items/none")).status).toBe(404);
  const list = await it.send("GET", "/api/v1/queues/mail/items");
  expect(await list.text()).not.toContain('"data"');
});

test("a queue and an item that wait show why, with the permits and the rate that keep them from starting", async () => {
  const rate = { name: "smtp", max: 1, per: "1h" } as const;
  const run = await it.manager.start("other", { permits: { stripe: 1 }, rate });
  await using queues = openQueues(it.manager);
  await queues.define("mail", { permits: { stripe: 1 }, rate });
  expect((await detail()).reasons).toMatchObject([{ code: "queue-empty" }]);
  const { id } = await queues.add("mail", 1);
  const limits = [
    ["permit", expect.stringContaining(`the permit "stripe" is taken, by ${run.id} on `)],
    ["rate", expect.stringMatching(/^one run has begun within 1 h, .* the rate "smtp" allows: the next may begin in /)],
  ];
  const unattended = ["queue-unattended", expect.stringMatching(/^1 item waits, .*, and no living worker takes them$/)];
  const codes = (reasons: readonly ReasonView[]): unknown => reasons.map(({ code, text }) => [code, text]);
  expect(codes((await detail()).reasons)).toEqual([unattended, ...limits]);
  const item = await it.get<QueueItemPage>(`/api/v1/queues/mail/items/${id}`);
  expect(codes(item.reasons)).toEqual([["queue-unattended", "it waits, and no living worker takes it"], ...limits]);
  const { reasons } = await it.get<Why>("/api/v1/jobs/mail/why");
  expect(codes(reasons)).toEqual([unattended, ...limits]);
});

test("a queue under maintenance says so, and an active item shows its newer data with showResults", async () => {
  await using queues = openQueues(it.manager);
  await queues.trigger("mail", "old");
  const stop = new AbortController();
  const worker = await queues.work("mail", () => new Promise((end) => stop.signal.addEventListener("abort", end)));
  await expect.poll(async () => (await queues.counts("mail")).active).toBe(1);
  const { id } = await queues.trigger("mail", "new");
  await using showing = await openTestUi({ manager: it.manager, showResults: true });
  expect((await showing.get<QueueItemPage>(`/api/v1/queues/mail/items/${id}`)).item.next).toEqual({ data: "new" });
  await it.manager.startMaintenance({ names: "ma*", reason: "a move", author: "ana" });
  expect((await detail()).paused).toMatchObject({ maintenance: "ma*", by: "ana", reason: "a move" });
  const { reasons } = await it.get<Why>("/api/v1/jobs/mail/why");
  expect(reasons.map(({ code }) => code).slice(0, 2)).toEqual(["queue-maintenance", "queue-follows"]);
  stop.abort();
  await worker.close({ grace: 0 });
});

test("the dead letters of one error are retried or discarded with one reason, the others stay", async () => {
  await addDead(it.manager, "mail", ["no route", "no route", "mailbox full", "mailbox full"]);
  const keyOf = async (text: string): Promise<string | undefined> =>
    (await detail()).errors.find(({ error }) => error === text)?.key;
  const error = await keyOf("no route");
  expect(await done("retry", { error, dryRun: true })).toMatchObject({
    done: 'would retry 2 dead letters of "mail"',
    dryRun: true,
  });
  expect(await states()).toEqual(["dead", "dead", "dead", "dead"]);
  expect(await done("retry", { error })).toEqual({ done: 'retried 2 dead letters of "mail"' });
  expect((await states()).sort()).toEqual(["dead", "dead", "waiting", "waiting"]);
  const again = await it.act("/api/v1/queues/mail/retry", { reason, error });
  expect(again).toMatchObject({
    status: 404,
    body: { error: { message: expect.stringContaining("with this error") } },
  });
  expect((await it.act("/api/v1/queues/mail/discard", { reason }, "operate")).status).toBe(403);
  expect(await done("discard", { error: await keyOf("mailbox full"), dryRun: true })).toMatchObject({ dryRun: true });
  expect(await done("discard")).toEqual({ done: 'discarded 2 dead letters of "mail"' });
  expect(await states()).toEqual(["waiting", "waiting"]);
  const { entries } = await it.get<Audit>("/api/v1/audit?name=mail");
  const audited = entries.map(({ action, reason, author }) => [action, reason, author]);
  expect(audited).toEqual([
    ["queue-purge", reason, "ana (10.1.2.3)"],
    ["queue-redrive", reason, "ana (10.1.2.3)"],
  ]);
});

test("an item is retried, and discarded", async () => {
  const [id = "", other = ""] = await addDead(it.manager, "mail", ["no route", "no route"]);
  expect(await done(`items/${id}/retry`, { dryRun: true })).toMatchObject({ dryRun: true });
  expect(await done(`items/${id}/retry`)).toEqual({ done: `the item ${id} of "mail" waits for a worker` });
  for (const dryRun of [true, false])
    expect(await it.act(`/api/v1/queues/mail/items/${id}/retry`, { reason, dryRun })).toMatchObject({ status: 404 });
  expect(await done(`items/${other}/discard`, { dryRun: true })).toMatchObject({ dryRun: true });
  expect(await done(`items/${other}/discard`)).toEqual({ done: `discarded the item ${other} of "mail"` });
  expect((await it.act(`/api/v1/queues/mail/items/${other}/discard`, { reason, dryRun: true })).status).toBe(404);
  expect((await it.get<QueueItems>("/api/v1/queues/mail/items")).items).toMatchObject([{ id, state: "waiting" }]);
});

test("a queue is paused and resumed, and one that does not exist is not made by it", async () => {
  await queues.define("mail");
  const until = Date.now() + 3_600_000;
  expect(await done("pause", { until, dryRun: true })).toMatchObject({ dryRun: true });
  expect((await detail()).paused).toBeUndefined();
  expect((await it.act("/api/v1/queues/mail/pause", { reason, until: 5, dryRun: true })).status).toBe(400);
  expect((await it.act("/api/v1/queues/mail/pause", { reason, until: 5 })).status).toBe(400);
  expect((await done("pause", { until })).done).toMatch(/^the queue "mail" is paused until 2.+Z: no worker/);
  expect((await detail()).paused).toMatchObject({ reason, by: "ana (10.1.2.3)", until });
  expect(await done("resume", { dryRun: true })).toMatchObject({ dryRun: true });
  expect(await done("resume")).toEqual({ done: 'the queue "mail" is resumed' });
  expect(await done("resume")).toEqual({ done: 'the queue "mail" was not paused' });
  expect((await detail()).paused).toBeUndefined();
  for (const act of ["pause", "resume", "retry", "discard"])
    expect((await it.act(`/api/v1/queues/none/${act}`, { reason })).status).toBe(404);
  expect((await it.get<QueuesAnswer>("/api/v1/queues")).queues.map(({ name }) => name)).toEqual(["mail"]);
});
