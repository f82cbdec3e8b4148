import { spawnSync } from "node:child_process";
import type { JobManager } from "@ojm/core";
import type { Queues } from "@ojm/queue";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { collect } from "../../../../core/src/testing/settle.js";
import { called } from "../../testing/called.js";
import { commandOf, type Ended, ojm } from "../../testing/ojm.js";
import { readPrinted } from "../../testing/printed-json.js";
import { queuesInFolder } from "../../testing/store.js";

let folder: string;
let manager: JobManager;
let queues: Queues;

beforeEach(async () => {
  ({ folder, manager, queues } = await queuesInFolder());
});

const STORE = ["--store", "sqlite:ojm.db"];
const REASON = ["--reason", "a test"];

const queue = (...words: string[]): Promise<Ended> => called(folder, ["queue", ...words, ...STORE]);

/** The JSON of a command, which must match its schema. */
async function json(verb: string, ...words: string[]): Promise<unknown> {
  const { code, out, err } = await queue(verb, ...words, "--json");
  expect([code, err]).toEqual([0, ""]);
  const { value, errors } = readPrinted(`queue ${verb}`, out);
  expect([errors, value]).toEqual([[], value]);
  return value;
}

/** The id of an item whose last attempt failed. */
async function deadLetter(data: unknown, error = "no such address"): Promise<string> {
  const { id } = await queues.add("mail", data, { attempts: 1 });
  const worker = await queues.work("mail", () => Promise.reject(new Error(error)));
  await expect.poll(async () => (await queues.item("mail", id))?.state).toBe("dead");
  await worker.close();
  return id;
}

describe("ojm queue add", () => {
  test("adds an item with its data and its options, and shows it", async () => {
    const at = "2100-01-01T00:00:00.000Z";
    const options = ["--priority", "-7", "--at", at, "--ttl", "30000d", "--group", "ana", "--attempts", "3"];
    const { id } = (await json("add", "mail", '{"to":"ana"}', "--unique", "k", ...options)) as { readonly id: string };
    expect(await json("show", "mail", id)).toMatchObject({
      ...{ state: "delayed", data: { to: "ana" }, priority: -7, group: "ana", due: Date.parse(at) },
      expires: expect.any(Number),
    });
    expect((await queue("show", "mail", id)).out).toMatch(/^state +delayed$[\s\S]*^due +2100-01-01T00:00:00.000Z$/m);
    expect(await json("add", "mail", '{"to":"eva"}', "--unique", "k", "--replace")).toMatchObject({
      ...{ id, added: false, replaced: true },
    });
    expect(await json("show", "mail", id)).toMatchObject({ data: { to: "eva" } });
    expect((await queue("add", "mail", "1", "--unique", "k")).out).toBe(
      `the item ${id} of the queue "mail" has this unique key: nothing was added\n`,
    );
  });

  test("without data it adds null, and with a dash what is on stdin", async () => {
    const added = (shell: string, ...data: readonly string[]) => {
      const words = commandOf(["queue", "add", "mail", ...data, ...STORE]);
      const { status, stderr } = spawnSync("sh", ["-c", shell, "sh", ...words], { cwd: folder, encoding: "utf8" });
      return [status, stderr];
    };
    const hint = "ojm: the data is null: to read it from stdin, give - as DATA\n";
    expect(added('"$@" </dev/null')).toEqual([0, ""]);
    expect(added('echo 1 | "$@"')).toEqual([0, hint]);
    expect(added(`echo '{"big": [1,\n2]}' | "$@"`, "-")).toEqual([0, ""]);
    expect((await collect(queues.items("mail"))).map(({ data }) => data)).toEqual([null, null, { big: [1, 2] }]);
    for (const shell of ['echo to: ana | "$@"', '"$@" </dev/null'])
      expect(added(shell, "-")).toEqual([2, expect.stringMatching(/^ojm: the data on stdin is not JSON: /)]);
  });

  test.each<[readonly string[], RegExp]>([
    [[], /needs the name of a queue\. See: ojm help queue add$/m],
    [["mail", "hello"], /is not JSON: .+'\{"order":4711\}', or '"a text"'$/m],
    [["mail", "1", "2"], /ojm queue add takes no further operands: "2" is one too many/],
    [["mail", "--delay", "5"], /--delay takes a duration/],
    [["mail", "--delay", "5s", "--at", "1h"], /--delay and --at exclude each other/],
    [["mail", "--at", "2020-01-01"], /--at takes a time in the future/],
    [["mail", "--priority", "high"], /--priority takes a whole number from -100 to 100, not "high"/],
    [["mail", "--priority", "101"], /priority must be a whole number from -100 to 100/],
    [["mail", "--replace"], /--replace belongs to --unique/],
    [["mail", "--unique", "k", "--unique-until", "soon"], /--unique-until takes a duration/],
    [[" mail"], /the name of a queue must not begin or end with a blank/],
    [["mail", "--limit", "1"], /ojm queue add has no option --limit/],
  ])("rejects a wrong command line: %j", async (words, message) => {
    expect(await queue("add", ...words)).toEqual({ code: 2, out: "", err: expect.stringMatching(message) });
    for await (const _ of queues.list()) throw new Error("it made a queue");
  });

  test("rejects a new name that is close to that of a queue, unless it is said to be new", async () => {
    await queue("add", "orders", "1");
    expect(await queue("add", "order", "2")).toMatchObject({
      code: 3,
      err: 'ojm: there is no queue "order". Did you mean "orders"? To make it a new one: --new\n',
    });
    expect((await queue("add", "order", "2", "--new")).code).toBe(0);
    expect((await queue("add", "orders", "3")).code).toBe(0);
  });
});

describe("ojm queue define", () => {
  test("sets all options of a queue, and makes a new one", async () => {
    const options = ["--attempts", "3", "--delay", "2s", "--backoff", "fixed", "--timeout", "1m", "--per-group", "2"];
    const limits = ["--permit", "smtp=10", "--rate", "smtp=100/m", "--max-delay", "5m", "--keep", "7d"];
    const record = ["--record", "failed"];
    const defined = {
      ...{ attempts: 3, delay: 2_000, backoff: "fixed", timeout: 60_000, perGroup: 2, permits: { smtp: 10 } },
      ...{ rate: { name: "smtp", max: 100, per: 60_000 }, maxDelay: 300_000, dead: { keep: 7 * 86_400_000 } },
      record: "failed",
    };
    expect(await json("define", "mail", ...options, ...limits, ...record)).toEqual({ queue: "mail", options: defined });
    expect(await json("show", "mail")).toMatchObject({ options: defined });
    expect((await queue("define", "mail")).out).toBe(
      'the queue "mail" is defined. To see its options: ojm queue show mail\n',
    );
    expect(await json("show", "mail")).toMatchObject({ options: { attempts: 5, delay: 1_000 } });
  });

  test.each<[readonly string[], RegExp]>([
    [["mail", "--attempts", "101"], /attempts must be a whole number from 1 to 100/],
    [["mail", "--backoff", "linear"], /--backoff is one of exponential, fixed, not "linear"/],
    [["mail", "--rate", "smtp"], /--rate takes a name, a number and a time/],
    [["mail", "--delay", "30d"], /delay must be a duration/],
  ])("rejects a wrong command line: %j", async (words, message) => {
    expect(await queue("define", ...words)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });
});

describe("ojm queue purge", () => {
  test("removes the items of one state, and leaves the reason in the audit", async () => {
    for (const group of ["a", "a", "b"]) await queues.add("mail", group, { group });
    await queues.add("mail", "later", { delay: "1h" });
    expect(await queue("purge", "mail")).toMatchObject({ code: 2, err: expect.stringContaining("needs --reason") });
    expect(await json("purge", "mail", "--group", "b", ...REASON)).toMatchObject({ purged: 1, reason: "a test" });
    expect((await queue("purge", "mail", ...REASON)).out).toBe('removed 2 waiting items of the queue "mail"\n');
    expect(await queues.counts("mail")).toMatchObject({ waiting: 0, delayed: 1 });
    expect(await json("purge", "mail", "--state", "delayed", ...REASON)).toMatchObject({ purged: 1 });
    const audit = JSON.parse((await called(folder, ["audit", "mail", "--json", ...STORE])).out) as object[];
    expect(audit[0]).toMatchObject({ action: "queue-purge", reason: "a test", details: { count: 1 } });
  });
});

describe("ojm queue ls and show", () => {
  test("show the queues with their counts, options, pauses and first items", async () => {
    expect((await queue("ls")).out).toBe("no queues in sqlite ojm.db\n");
    await queues.define("mail", { attempts: 3, timeout: "1m", delay: "2s", backoff: "fixed", perGroup: 2 });
    await queues.add("mail", 1, { priority: 5 });
    await queues.add("mail", 2, { delay: "1h" });
    await queues.add("other", 3);
    expect(await json("ls")).toMatchObject([
      { name: "mail", waiting: 1, delayed: 1, active: 0, dead: 0, workers: 0, options: { attempts: 3, perGroup: 2 } },
      { name: "other", waiting: 1 },
    ]);
    expect((await queue("ls")).out).toMatch(/^mail +1 +1 +0 +0 +20\S+Z +0/m);
    expect(await json("show", "mail")).toMatchObject({ items: [{ data: 1 }, { data: 2 }] });
    expect(await json("show", "mail", "--state", "delayed", "-n", "1")).toMatchObject({ items: [{ data: 2 }] });
    const { out } = await queue("show", "mail");
    expect(out).toMatch(/^retry delay +2 s$/m);
    expect(out).toMatch(/^ITEM +STATE +ATTEMPT +PRIORITY/m);
    await json("pause", "mail", "--until", "1h", ...REASON);
    expect((await queue("show", "mail")).out).toMatch(/^state +paused by \S+@\S+ until 20\S+Z: a test$/m);
    expect((await queue("ls")).out).toMatch(/^mail .* by \S+@\S+ until 20\S+Z: a test$/m);
  });

  test("show prints the limits of a queue, and that no item has a state or a group", async () => {
    await queues.define("mail", { permits: { smtp: 2, "tenant/1": 1 }, rate: { name: "r", max: 1, per: "1m" } });
    await queues.add("mail", 1);
    const { out } = await queue("show", "mail", "--group", "a");
    expect(out).toMatch(/^permits +2 at once, .* "smtp"\n +1 at once, .* "tenant\/1"$/m);
    expect(out).toMatch(/\n\nno such items\n$/);
  });

  test("a queue or an item that the store does not have is named, and what it has", async () => {
    expect((await queue("show", "mail")).err).toBe('ojm: there is no queue "mail". The store has none.\n');
    await queues.add("mail", 1);
    for (const words of ["show", "dead", "redrive", "resume", "pause", "purge", "retry x", "discard x"]) {
      const [verb = "", ...ids] = words.split(" ");
      const reason = ["pause", "purge", "discard"].includes(verb) ? REASON : [];
      expect([words, await queue(verb, "mial", ...ids, ...reason)]).toMatchObject([
        words,
        { code: 3, err: 'ojm: there is no queue "mial". Did you mean "mail"? Those of the store: mail.\n' },
      ]);
    }
    expect(await queue("show", "mail", "x")).toMatchObject({ code: 3, err: 'ojm: the queue "mail" has no item x\n' });
    const worker = await queues.work("mail", ({ id }) => id);
    await expect.poll(async () => (await queues.counts("mail")).waiting).toBe(0);
    await worker.close();
    let id = "";
    for await (const { meta } of manager.history({ name: "mail" })) id = String(meta?.["item"]);
    expect(await queue("show", "mail", id)).toMatchObject({
      code: 3,
      err: expect.stringMatching(/no longer has the item \S+: its last run, mail@\S+, is completed\n$/),
    });
  });

  test("write nothing to a store without queues", async () => {
    const raise = vi.spyOn(Object.getPrototypeOf(manager) as JobManager, "raiseFormat");
    onTestFinished(() => raise.mockRestore());
    await queue("ls");
    expect(raise).not.toHaveBeenCalled();
    // The control.
    await queue("add", "mail", "1");
    expect(raise).toHaveBeenCalled();
  });
});

describe("dead letters", () => {
  test("are listed, tried again, discarded and redriven", async () => {
    const ids = [await deadLetter(1), await deadLetter(2, "mailbox full"), await deadLetter(3)];
    expect(await json("dead", "mail")).toMatchObject(ids.map((id) => ({ id, attempt: 1 })));
    const { out, err } = await queue("dead", "mail", "-n", "2");
    expect(out).toMatch(/^ITEM +DIED +ATTEMPTS[\s\S]*mailbox full$/m);
    expect(err).toMatch(/^There are more: --limit N/);
    expect(await json("retry", "mail", ids[0] ?? "")).toEqual({ queue: "mail", retried: [ids[0]] });
    expect(await json("show", "mail", ids[0] ?? "")).toMatchObject({ state: "waiting" });
    expect(await json("discard", "mail", ids[0] ?? "", ids[1] ?? "", ...REASON)).toMatchObject({
      discarded: [ids[0], ids[1]],
    });
    expect(await json("redrive", "mail", "--rate", "100/1m", "--limit", "5")).toEqual({ queue: "mail", retried: 1 });
    expect((await queue("dead", "mail")).out).toBe('the queue "mail" has no dead letters\n');
    const audit = JSON.parse((await called(folder, ["audit", "mail", "--json", ...STORE])).out) as object[];
    expect(audit).toMatchObject([
      { action: "queue-redrive", details: { count: 1 } },
      { action: "queue-discard", reason: "a test", author: expect.stringContaining("@") },
      { action: "queue-discard" },
      { action: "queue-retry", author: expect.stringContaining("@") },
    ]);
    const table = (await called(folder, ["audit", "mail", ...STORE])).out;
    expect(table).toMatch(/ queue-redrive +mail +\S+@\S+ +1 item$/m);
    expect(table).toMatch(new RegExp(` queue-discard +mail +\\S+@\\S+ +${ids[0]} +a test$`, "m"));
  });

  test("of several items, those that can be changed are, and the others are named", async () => {
    const id = await deadLetter(1);
    const ended = await queue("retry", "mail", "x", id, "y");
    expect(ended).toEqual({
      code: 3,
      out: `the item ${id} of the queue "mail" waits for a worker\n`,
      err: expect.stringMatching(/^ojm: the queue "mail" has no item x.*\nojm: the queue "mail" has no item y/),
    });
  });

  test.each<[readonly string[], RegExp]>([
    [["retry", "mail"], /ojm queue retry needs the ids of items after the name of the queue/],
    [["discard", "mail", "x"], /ojm queue discard needs --reason/],
    [["define", "mail", "--rate", "a=1/s", "--rate", "b=1/s"], /--rate is given twice/],
    [["define", "mail", "--rate", "a=1/60d"], /^ojm: --rate a=1\/60d: per of the rate "a" must be .* up to 30 d/],
    [["redrive", "mail", "--rate", "fast"], /--rate takes a number and a time, such as 100\/1m or 5\/s, not "fast"/],
    [["pause", "mail"], /ojm queue pause needs --reason/],
    [["show", "mail", "x", "--state", "dead"], /takes --state, --group and --limit without the id of an item/],
    [["show", "mail", "--state", "ded"], /--state is one of active, waiting, delayed, dead, not "ded"/],
  ])("reject a wrong command line: %j", async ([verb = "", ...words], message) => {
    await queues.add("mail", 1);
    expect(await queue(verb, ...words)).toEqual({ code: 2, out: "", err: expect.stringMatching(message) });
  });

  test("an active item is cancelled, and then discarded", async () => {
    const worker = await queues.work("mail", ({ signal }) => new Promise((ok) => signal.addEventListener("abort", ok)));
    const { id } = await queues.add("mail", 1);
    await expect.poll(() => worker.active).toBe(1);
    expect(await json("discard", "mail", id, ...REASON)).toMatchObject({ discarded: [id] });
    expect(await queues.item("mail", id)).toBeUndefined();
    await worker.close();
  });
});

test("a queue is paused and resumed, and the pause that is replaced is named", async () => {
  await queues.add("mail", 1);
  expect(await json("pause", "mail", ...REASON)).toMatchObject({ paused: true, reason: "a test" });
  expect((await queue("pause", "mail", "--reason", "again")).out).toMatch(
    / It was paused by \S+ \(a test\): that pause is replaced\n$/,
  );
  expect(await json("resume", "mail")).toEqual({ queue: "mail", wasPaused: true });
  expect((await queue("resume", "mail")).out).toBe('the queue "mail" was not paused\n');
});

describe("the commands of a subject", () => {
  test("are listed by its help, and each has its own", async () => {
    for (const words of [["queue"], ["queue", "--help"], ["help", "queue"]]) {
      const { code, out } = await called(folder, words);
      expect([words, code, out]).toEqual([words, 0, expect.stringMatching(/^ {2}queue ls +the queues/)]);
    }
    for (const words of [
      ["queue", "add", "--help"],
      ["help", "queue", "add"],
    ])
      expect((await called(folder, words)).out).toMatch(/^ojm queue add QUEUE \[DATA\|-\] \[--priority N\]/);
  });

  test("a wrong one is named, with those that there are", async () => {
    expect(await called(folder, ["queue", "lst"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^ojm: ojm queue has no command "lst"\. Did you mean ls\? It has: ls, show, /),
    });
    expect(JSON.parse((await called(folder, ["queue", "lst", "--json"])).err)).toMatchObject({ error: { exit: 2 } });
    expect((await called(folder, ["help", "queue", "lst"])).code).toBe(2);
  });

  test("names of queues are completed", async () => {
    await queues.add("mail", 1);
    await queues.add("move", 1);
    const { out } = await ojm(folder, "__complete", "QUEUE", "--within", "60s", ...STORE, "--", "ma");
    expect(out).toBe("mail\n");
  });
});

test("ojm export says how many items it leaves out", async () => {
  for (const delay of [0, 60_000]) await queues.add("mail", 1, { delay });
  await queues.add("sms", 1);
  const left = async (...words: string[]): Promise<string> =>
    (await called(folder, ["export", ...words, ...STORE])).err;
  expect(await left()).toContain("Left out 3: an item of a queue");
  expect(await left("sms")).toContain("Left out 1: an item of a queue");
});
