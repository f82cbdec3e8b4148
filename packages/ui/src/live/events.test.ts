import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Running } from "../contract/types.js";
import { collected, eventsOf, type Received } from "../testing/events.js";
import { openTestUi, type TestUi } from "../testing/test-ui.js";
import { Hub } from "./hub.js";

let it: TestUi;

beforeEach(async () => {
  it = await openTestUi();
});

afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

/** Opens a stream, and collects its events. */
async function stream(query = "", last?: string): Promise<{ all: Received[]; stop: () => void }> {
  const controller = new AbortController();
  const headers = last === undefined ? {} : { "Last-Event-ID": last };
  const response = await it.send("GET", `/api/v1/events${query}`, { headers, signal: controller.signal });
  expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "text/event-stream"]);
  const reader = response.body?.tee() ?? [];
  const all = collected(new Response(reader[0]));
  return { all, stop: () => void reader[1]?.cancel().catch(() => {}) };
}

/** The running runs, as a client of the events knows them. */
function running(all: readonly Received[]): string[] {
  const known = new Map<string, Running>();
  for (const { event, data } of all) {
    if (event !== "running") continue;
    if (data.all === true) known.clear();
    for (const id of data.gone) known.delete(id);
    for (const run of data.put) known.set(run.id, run);
  }
  return [...known.keys()].sort();
}

const changed = (all: readonly Received[]): string[] =>
  all.flatMap(({ event, data }) => (event === "changed" ? data.names : []));

/** The numbers of the lines that were sent of a log. */
const lines = (all: readonly Received[], id: string): number[] =>
  all.flatMap(({ event, data }) =>
    event === "log" && data.id === id ? data.items.flatMap((item) => ("line" in item ? [item.line] : [])) : [],
  );

const isEnded = (all: readonly Received[], id: string): boolean =>
  all.some(({ event, data }) => event === "log" && data.id === id && data.ended === true);

describe("a stream of events", () => {
  test("begins with all running runs, and sends each start and end", async () => {
    const one = await it.manager.start("one");
    const { all } = await stream();
    await expect.poll(() => running(all)).toEqual([one.id]);
    expect(all[0]?.event).toBe("hello");
    const two = await it.manager.start("two");
    await expect.poll(() => running(all)).toEqual([one.id, two.id]);
    await one.end();
    await expect.poll(() => running(all)).toEqual([two.id]);
    await expect.poll(() => changed(all)).toContain("one");
    two.progress(3, 10);
    await expect
      .poll(() =>
        all.flatMap(({ event, data }) => (event === "running" ? data.put.map((run) => run.progress?.done) : [])),
      )
      .toContain(3);
    await two.end();
  });

  test("reports a run that is over before the next check", async () => {
    const { all } = await stream();
    await it.manager.run("short", () => {});
    await expect.poll(() => changed(all)).toContain("short");
  });

  test("reports ticks and pauses of schedules", async () => {
    await it.scheduler.add("nightly", { cron: "0 2 * * *" }, () => {});
    const { all } = await stream();
    await expect.poll(() => all.map(({ event }) => event)).toContain("running");
    // The stream follows the schedules a moment later than the locks.
    await expect
      .poll(async () => {
        await it.scheduler.pause("nightly", { reason: "holidays" });
        return changed(all);
      })
      .toContain("nightly");
  });

  test("resumes behind the last event: nothing is lost, and nothing comes twice", async () => {
    const { all } = await stream();
    await it.manager.run("one", () => {});
    await expect.poll(() => changed(all)).toContain("one");
    const last = all.at(-1)?.id ?? "";
    const seen = all.length;
    await it.manager.run("two", () => {});
    await expect.poll(() => changed(all.slice(seen))).toContain("two");
    const back = await stream("", last);
    await expect.poll(() => changed(back.all)).toContain("two");
    expect(back.all[0]?.event).toBe("hello");
    expect(back.all.some(({ event, data }) => event === "running" && data.all === true)).toBe(false);
    const missed = all.slice(seen).map(({ id }) => id);
    expect(back.all.slice(1, 1 + missed.length).map(({ id }) => id)).toEqual(missed);
  });

  test("asks a client that was away for too long, or comes from another server, to read everything again", async () => {
    const run = await it.manager.start("one");
    for (const last of ["abcdef-3", "nonsense", "-1"]) {
      const { all } = await stream("", last);
      await expect.poll(() => running(all)).toEqual([run.id]);
      expect(all.slice(0, 2).map(({ event }) => event)).toEqual(["hello", "reset"]);
    }
    await run.end();
  });

  test("follows logs, from the line that the client has, and reports their end", async () => {
    const run = await it.manager.start("one");
    for (let i = 1; i <= 3; i++) run.log.info(`line ${i}`);
    const id = encodeURIComponent(run.id);
    const whole = await stream(`?log=${id}`);
    await expect.poll(() => lines(whole.all, run.id)).toEqual([1, 2, 3]);
    const rest = await stream(`?log=${id}&after=2`);
    await expect.poll(() => lines(rest.all, run.id)).toEqual([3]);
    run.log.info("line 4");
    await expect.poll(() => [whole, rest].map(({ all }) => lines(all, run.id).at(-1))).toEqual([4, 4]);
    const back = await stream(`?log=${id}`, whole.all.findLast(({ event }) => event === "log")?.id);
    run.log.info("line 5");
    await run.end();
    for (const { all } of [whole, rest, back]) await expect.poll(() => isEnded(all, run.id)).toBe(true);
    expect(lines(whole.all, run.id)).toEqual([1, 2, 3, 4, 5]);
    expect(lines(back.all, run.id)).toEqual([5]);
  });

  test("a session has 20 streams at most, and a stream ten logs", async () => {
    const streams: Response[] = [];
    for (let i = 0; i < 20; i++) streams.push(await it.send("GET", "/api/v1/events"));
    const refused = await it.send("GET", "/api/v1/events");
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([429, "5"]);
    await streams[0]?.body?.cancel();
    expect((await it.send("GET", "/api/v1/events")).status).toBe(200);
    const logs = Array.from({ length: 11 }, () => "log=a").join("&");
    expect((await it.send("GET", `/api/v1/events?${logs}`)).status).toBe(400);
  });

  test("a stream whose first events are longer than a client may leave unread is sent, ended and not counted", async () => {
    const run = { id: "a".repeat(4 * 1_024 * 1_024), name: "a" } as Running;
    const running = { at: 1, all: true, put: [run], gone: [] } as const;
    const state = vi.spyOn(Hub.prototype, "state").mockReturnValue({ running, stale: { since: 1 } });
    onTestFinished(() => state.mockRestore());
    const response = await it.send("GET", "/api/v1/events");
    expect(response.status).toBe(200);
    const received: string[] = [];
    for await (const { event } of eventsOf(response)) received.push(event);
    expect(received).toEqual(["hello", "running"]);
    state.mockRestore();
    for (let i = 1; i <= 20; i++) expect([i, (await it.send("GET", "/api/v1/events")).status]).toEqual([i, 200]);
  });

  test("all sessions together have 200 streams at most", async () => {
    await it[Symbol.asyncDispose]();
    it = await openTestUi({ authorize: ({ headers }) => ({ user: headers.get("X-User") ?? "", role: "read" }) });
    const open = (user: number): Promise<Response> =>
      it.send("GET", "/api/v1/events", { headers: { "X-User": `u${user}` } });
    const streams: Response[] = [];
    for (let i = 0; i < 200; i++) streams.push(await open(i % 10));
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await open(10);
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([429, "5"]);
    expect(await refused.text()).toContain("200 streams are open");
    await streams[0]?.body?.cancel();
    expect((await open(10)).status).toBe(200);
  });

  test("resumes each of its logs behind the last line of that log", async () => {
    const [long, short] = [await it.manager.start("long"), await it.manager.start("short")];
    for (let i = 1; i <= 9; i++) long.log.info(`line ${i}`);
    short.log.info("line 1");
    const query = `?log=${encodeURIComponent(long.id)}&log=${encodeURIComponent(short.id)}`;
    const { all } = await stream(query);
    const last = (received: readonly Received[]): unknown[] =>
      [long, short].map(({ id }) => lines(received, id).at(-1));
    await expect.poll(() => last(all)).toEqual([9, 1]);
    const back = await stream(query, all.at(-1)?.id);
    for (const run of [long, short]) {
      run.log.info("one more");
      await run.end();
      await expect.poll(() => isEnded(back.all, run.id)).toBe(true);
    }
    expect([long, short].map(({ id }) => lines(back.all, id))).toEqual([[10], [2]]);
  });

  test("the last lines of a log come before its end, however many they are", async () => {
    const run = await it.manager.start("one");
    run.log.info("line 1");
    const { all } = await stream(`?log=${encodeURIComponent(run.id)}`);
    await expect.poll(() => lines(all, run.id)).toEqual([1]);
    // More lines than fit into one event, and some for the next one.
    for (let i = 2; i <= 1_203; i++) run.log.info(`line ${i}`);
    await run.end();
    await expect.poll(() => isEnded(all, run.id)).toBe(true);
    expect(lines(all, run.id)).toEqual(Array.from({ length: 1_203 }, (_, i) => i + 1));
  });

  test("ends with its UI", async () => {
    const response = await it.send("GET", "/api/v1/events");
    await it.ui.close();
    let text = "";
    for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
    expect(text).toContain("event: hello");
  });
});
