import type { JobManager } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, expect, test } from "vitest";
import { called } from "../../testing/called.js";
import type { Ended } from "../../testing/ojm.js";
import { storeIn } from "../../testing/store.js";

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

const call = (...words: readonly string[]): Promise<Ended> => called(folder, [...words, "--store", "sqlite:ojm.db"]);

test("ojm limit sets the limit of a permit, shows it with its holders, and ends it, and the audit says who did", async () => {
  const run = await manager.start("charge", { permits: { stripe: 2 } });
  expect(await call("limit", "stripe", "1", "--reason", "they are slow")).toMatchObject({
    code: 0,
    out: 'the limit of the permit "stripe" is 1\n',
  });
  const view = { name: "stripe", limit: 1, held: 1, runs: [run.id], waiting: 0 };
  expect(JSON.parse((await call("limit", "--json")).out)).toEqual([view]);
  expect((await call("limit", "stripe")).out).toMatch(
    new RegExp(`PERMIT +LIMIT +HELD +WAITING +HELD BY[\\s\\S]*stripe +1 +1 +${run.id}`),
  );
  expect((await call("limit", "stripe", "default")).out).toContain("no longer set: the numbers of the runs count");
  const { limit: _, ...rest } = view;
  expect(JSON.parse((await call("limit", "stripe", "--json")).out)).toEqual([rest]);
  const { out } = await call("audit", "stripe");
  expect(out).toMatch(/limit default [\s\S]*limit 1 .*they are slow/);
  await run.end();
  expect(await call("limit", "stripe")).toMatchObject({ code: 3, err: expect.stringContaining("no limit, no holder") });
  expect((await call("limit")).out).toContain("no permit has a limit");
  for (const words of [
    ["stripe", "-1"],
    ["stripe", "2000"],
    ["stripe", "many"],
    ["a", "1", "b"],
  ])
    expect(await call("limit", "--", ...words)).toMatchObject({ code: 2 });
});

test("ojm ps shows which runs wait for a permit or a rate, and for how long", async () => {
  const run = await manager.start("charge", { permits: { stripe: 1 }, rate: { name: "smtp", max: 1, per: "1h" } });
  const over = new AbortController();
  const options = { wait: "1h", signal: over.signal } as const;
  const waiting = [
    manager.run("refund", () => {}, { ...options, permits: { stripe: 1 } }),
    manager.run("mail", () => {}, { ...options, rate: { name: "smtp", max: 1, per: "1h" } }),
  ].map((one) => one.catch(() => {}));
  await expect.poll(async () => (await manager.limitWaiters()).length, { timeout: 30_000 }).toBe(2);
  const all = JSON.parse((await call("ps", "--json")).out) as unknown[];
  expect(all).toMatchObject([
    { id: run.id },
    { name: "refund", status: "waiting", permits: ["stripe"], since: expect.any(Number) },
    { name: "mail", status: "waiting", rate: "smtp", since: expect.any(Number) },
  ]);
  const { out } = await call("ps");
  expect(out).toMatch(/^refund waits for the permit "stripe", for \d+/m);
  expect(out).toMatch(/^mail waits for the rate "smtp", for \d+/m);
  expect((await call("ps", "mail")).out).not.toContain("refund");
  over.abort();
  await Promise.all([run.end(), ...waiting]);
});
