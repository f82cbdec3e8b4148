import { openQueues } from "@ojm/queue";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { collected } from "../testing/events.js";
import { addDead, openTestUi, type TestUi } from "../testing/test-ui.js";
import { endpoints } from "./endpoints.js";

const SECRET = "hunter2";

const PATIENCE = { timeout: 60_000, interval: 50 };

let it: TestUi;

/** Jobs and runs that have the secret in every place that can hold a text. */
const jobs = ["blackout", "paused", "held", "cancelled", "fails", "retried", "open"] as const;
const runs: string[] = [];
/** A queue that has the secret in the reason of its pause, and an item that has it in every text. */
let item: string;

beforeAll(async () => {
  it = await openTestUi({ showResults: true, mask: (text) => text.replaceAll(SECRET, "***") });
  const { manager, scheduler } = it;
  const reason = `the word is ${SECRET}`;
  const author = `ana of ${SECRET}`;
  const every = { every: 1_000 };
  const ever = { from: 0, to: Date.now() + 3_600_000, reason };
  await scheduler.add("blackout", { ...every, blackout: [ever], meta: { key: SECRET } }, () => {});
  // Before its first tick: a run would have the lock.
  await manager.hold("held", { reason, author });
  for (const name of ["paused", "held"]) await scheduler.add(name, every, () => {});
  await scheduler.pause("paused", { reason, author });
  await manager.hold("open for a moment", { reason, author });
  await manager.unlock("open for a moment", { reason, author });
  [item = ""] = await addDead(manager, "mails", [reason]);
  await using queues = openQueues(manager);
  await queues.pause("mails", { reason, author });
  const cancelled = await manager.start("cancelled");
  await manager.cancel("cancelled", { reason, author });
  cancelled.exited(null, SECRET);
  await cancelled.fail(new Error(reason));
  runs.push(cancelled.id);
  const fails = manager.run(
    "fails",
    ({ log, progress, id }) => {
      runs.push(id);
      log.error(reason);
      progress(1, 2, SECRET);
      throw new Error(reason, { cause: new Error(reason) });
    },
    { meta: { [SECRET]: SECRET }, trigger: reason },
  );
  await fails.catch(() => {});
  await manager.run("fails", ({ id }) => {
    runs.push(id);
    return { [SECRET]: [SECRET] };
  });
  const retry = { attempts: 2, delay: 3_600_000 };
  manager.run("retried", () => Promise.reject(new Error(reason)), { retry }).catch(() => {});
  const open = await manager.start("open", { args: { key: SECRET }, meta: { key: SECRET }, trigger: reason });
  open.progress(1, 2, SECRET);
  open.log.info(reason);
  runs.push(open.id);
  await vi.waitFor(async () => expect(await manager.retries("retried")).toHaveLength(1), PATIENCE);
  for (const name of ["blackout", "paused", "held"]) {
    const skipped = async (): Promise<unknown> => {
      for await (const tick of scheduler.ticks(name, { unrun: true, limit: 1 })) return tick.outcome;
      return undefined;
    };
    await vi.waitFor(async () => expect(await skipped()).toBe("skipped"), PATIENCE);
  }
});

afterAll(async () => {
  await it[Symbol.asyncDispose]();
});

const looks = endpoints.filter(({ method, id }) => method === "GET" && id !== "events");

function pathsOf(path: string): string[] {
  if (path.includes("/queues/")) return [path.replace(":name", "mails").replace(":id", item)];
  if (path.includes(":name")) return jobs.map((name) => path.replace(":name", name));
  return path.includes(":id") ? runs.map((id) => path.replace(":id", encodeURIComponent(id))) : [path];
}

/** The endpoints that return no text written by people or jobs. */
const NOTHING: ReadonlySet<string> = new Set(["/api/v1/me", "/api/v1/zones"]);

test.each(looks.map(({ path }) => path))("nothing of GET %s is shown past the mask", async (path) => {
  const paths = pathsOf(path);
  const texts: string[] = [];
  for (const each of paths) {
    const response = await it.send("GET", each);
    expect(response.status).toBe(200);
    texts.push(await response.text());
  }
  const all = texts.join("\n");
  expect(all).not.toContain(SECRET);
  // The secret would have been there.
  if (!NOTHING.has(path)) expect(all).toContain("***");
});

test.each(endpoints.filter(({ method }) => method === "POST").map(({ path }) => path))(
  "nothing of the answer to POST %s is shown past the mask",
  async (path) => {
    const body = { reason: "a test", dryRun: true, from: Date.now() - 60_000 };
    for (const each of pathsOf(path)) {
      const response = await it.send("POST", each, { body });
      expect(await response.text(), each).not.toContain(SECRET);
    }
  },
);

test("nothing of a refusal is shown past the mask", async () => {
  const response = await it.send("POST", "/api/v1/jobs/held/hold", { body: { reason: "a test" } });
  const text = await response.text();
  expect([response.status, text]).toEqual([409, expect.stringContaining("***")]);
  expect(text).not.toContain(SECRET);
  // As if the hold had ended meanwhile.
  vi.spyOn(it.manager, "unlock").mockResolvedValueOnce({ unlocked: false });
  const late = await it.send("POST", "/api/v1/jobs/held/unlock", { body: { reason: "a test" } });
  expect([late.status, await late.text()]).toEqual([404, expect.stringMatching(/ana of \*\*\*.*any more/)]);
});

test("nothing of the events is shown past the mask", async () => {
  const query = runs.map((id) => `log=${encodeURIComponent(id)}`).join("&");
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const response = await it.send("GET", `/api/v1/events?${query}`, { signal: over.signal });
  const all = collected(response);
  const ended = (): number => all.filter(({ event, data }) => event === "log" && data.ended === true).length;
  await expect.poll(ended).toBe(runs.length - 1);
  const text = JSON.stringify(all);
  expect(text).toContain("***");
  expect(text).not.toContain(SECRET);
});

test.each([
  [
    "throws",
    () => {
      throw new Error("a secret");
    },
  ],
  ["returns no text", () => 5 as never],
])("a mask that %s hides all texts, and no request rejects", async (_, mask) => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());
  await using it = await openTestUi({ mask });
  await it.manager.run("broken", () => Promise.reject(new Error("password=hunter2"))).catch(() => {});
  const runs = await it.send("GET", "/api/v1/runs");
  expect(runs.status).toBe(200);
  expect(await runs.text()).not.toContain("hunter2");
  for (const path of ["/api/v1/runs?limit=x", "/api/v1/none", "/api/v1/jobs/none", "/nowhere"])
    expect((await it.send("GET", path)).status).toBeGreaterThanOrEqual(400);
  expect((await it.send("GET", "/api/v1/me", { headers: { Host: "evil.example" } })).status).toBe(403);
  expect(warned).toHaveBeenCalledTimes(1);
});
