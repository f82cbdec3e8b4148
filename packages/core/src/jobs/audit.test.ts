import { beforeEach, expect, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import type { AuditEntry, AuditOptions } from "./types.js";

const HOUR = 3_600_000;

let clock: FakeClock;
let one: ManagerOf;
let two: ManagerOf;

beforeEach(async () => {
  const world = new World();
  clock = world.clock;
  one = await world.manager();
  two = await world.manager();
});

const audit = (options: AuditOptions = {}): Promise<AuditEntry[]> => clock.until(collect(two.manager.audit(options)));

/** A hold, a cancel and an unlock, an hour apart. */
async function acts(): Promise<string> {
  await clock.until(two.manager.hold("a", { reason: "the schema changes", author: "ana@host" }));
  await clock.advance(HOUR);
  await clock.until(two.manager.unlock("a", { reason: "it is changed", author: "bo@host" }));
  await clock.advance(HOUR);
  const run = await clock.until(one.manager.start("b"));
  run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
  await clock.until(two.manager.cancel("b", { reason: "wrong month", author: "cy@host" }));
  return run.id;
}

test("the audit records who did what to whom, and why, newest first", async () => {
  const id = await acts();
  expect(await audit()).toMatchObject([
    { action: "cancel", name: "b", author: "cy@host", reason: "wrong month", run: id, holder: { pid: process.pid } },
    { action: "end-hold", name: "a", author: "bo@host", reason: "it is changed" },
    { action: "hold", name: "a", author: "ana@host", details: { until: expect.any(Number) } },
  ]);
  expect(await audit({ name: "b" })).toHaveLength(1);
  expect(await audit({ name: "none" })).toEqual([]);
});

test("a cancel by a rule of a program is in the record of its run, and not in the audit", async () => {
  const run = await clock.until(one.manager.start("b"));
  run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
  await clock.until(two.manager.cancel("b", { reason: "a newer one is due", audited: false }));
  expect(await audit()).toEqual([]);
  const [record] = await clock.until(collect(two.manager.history({ name: "b" })));
  expect(record?.endedBy).toMatchObject({ action: "cancel", reason: "a newer one is due" });
});

test("the record of a cancelled run, and the error of its body, name the person", async () => {
  const run = await clock.until(one.manager.start("b"));
  run.signal.addEventListener("abort", () => void run.cancel().catch(() => {}));
  await clock.until(two.manager.cancel("b", { reason: "wrong month", author: "cy@host" }));
  expect(run.signal.reason).toMatchObject({ message: expect.stringMatching(/by cy@host: wrong month/) });
  const [record] = await clock.until(collect(two.manager.history({ name: "b" })));
  expect(record?.endedBy).toMatchObject({ action: "cancel", author: "cy@host" });
});

test("an unlock of an early version is shown, and what is not an audit is not", async () => {
  const run = await clock.until(one.manager.start("a"));
  await clock.until(two.manager.unlock("a", { reason: "it hangs" }));
  const { locks } = two.manager.channels;
  for await (const { key, value } of locks.entries({ prefix: ["audit"] })) {
    await locks.set(key, JSON.parse(JSON.stringify({ ...value, action: undefined })));
  }
  await locks.set(["audit", "a", 7, "x"], "mine" as never);
  expect(await audit()).toMatchObject([{ action: "unlock", name: "a", run: run.id }]);
});

test("an act of another program is in the commit that does it", async () => {
  const channel = await one.manager.channel<string>("mine");
  const { holder: by } = await clock.until(one.manager.lock("x")).then(({ session }) => session);
  const noted = one.manager.auditOps({ action: "pause", name: "report", by, author: "ana", details: { until: 7 } });
  expect((await channel.commitWith([{ check: "a", version: "1" }], [noted])).ok).toBe(false);
  expect(await audit()).toEqual([]);
  expect((await channel.commitWith([{ put: "a", value: "b" }], [noted])).ok).toBe(true);
  expect(await audit()).toMatchObject([{ action: "pause", name: "report", author: "ana", details: { until: 7 } }]);
});

test("a prune takes what is old, and leaves the newest of each name", async () => {
  await acts();
  expect(await clock.until(two.manager.prune({ olderThan: 1.5 * HOUR }))).toEqual({ removed: 0, audits: 1 });
  expect(await audit()).toHaveLength(2);
  expect(await clock.until(two.manager.prune({ olderThan: 0, keep: 1 }))).toEqual({ removed: 0 });
  await clock.advance(1);
  expect(await clock.until(two.manager.prune({ olderThan: 0, name: "a" }))).toEqual({ removed: 0, audits: 1 });
  expect(await audit()).toMatchObject([{ name: "b" }]);
});

test("a prune by a person leaves an entry: who, how old, and how much it deleted; by a program it leaves none", async () => {
  await acts();
  await clock.advance(1);
  expect(await clock.until(two.manager.prune({ olderThan: 0, name: "a" }))).toEqual({ removed: 0, audits: 2 });
  expect((await audit()).map(({ action }) => action)).toEqual(["cancel"]);
  const all = { olderThan: 0, author: "ana@host" };
  expect(await clock.until(two.manager.prune(all))).toEqual({ removed: 1, audits: 1 });
  expect(await audit()).toMatchObject([
    { action: "prune", name: "*", author: "ana@host", details: { olderThan: 0, removed: 1, audits: 1 } },
  ]);
  expect(await clock.until(two.manager.prune({ ...all, name: "b", keep: 2 }))).toEqual({ removed: 0 });
  expect(await audit({ name: "b" })).toMatchObject([
    { action: "prune", name: "b", details: { olderThan: 0, keep: 2, removed: 0, audits: 0 } },
  ]);
  const refused = two.manager.prune({ olderThan: 0, author: 3 as never });
  await expect(refused).rejects.toMatchObject({ code: "INVALID", message: expect.stringMatching(/^author must be/) });
});

test("an author that is not a text is refused", async () => {
  for (const author of [3, "x".repeat(1_001)] as string[]) {
    await expect(two.manager.cancel("a", { reason: "x", author })).rejects.toMatchObject({ code: "INVALID" });
  }
  await expect(two.manager.unlock("a", { reason: "x", author: 3 as never })).rejects.toMatchObject({ code: "INVALID" });
});
