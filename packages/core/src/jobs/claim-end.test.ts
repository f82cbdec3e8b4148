import { expect, test } from "vitest";
import type { Channel } from "../channel/channel.js";
import { rejection } from "../testing/settle.js";
import { World } from "../testing/world.js";
import { all } from "../util/iterate.js";
import { type JobManager, openJobManager } from "./manager.js";
import type { RunRecord, StartClaim } from "./types.js";

/** A claim that takes an entry at the start of its run, and leaves another one at its end. */
function claimOf(channel: Channel<string>, seen: RunRecord[], version: string | null = null): StartClaim {
  return {
    ops: () => [{ channel: channel as Channel<unknown>, ops: [{ put: "taken", value: "yes" }] }],
    refused: async () => {},
    end: (record) => {
      seen.push(record);
      const check = record.status === "completed" ? [{ check: "guard", version }] : [];
      const ops = [...check, { delete: "taken" }, { put: "ended", value: record.status }];
      return [{ channel: channel as Channel<unknown>, ops }];
    },
  };
}

async function opened(stores: "one store" | "two stores"): Promise<{ manager: JobManager; data: Channel<string> }> {
  const chLocks = { backend: await new World().way() };
  const chJobs = stores === "one store" ? chLocks : { backend: await new World().way() };
  const manager = await openJobManager({ chJobs, chLocks });
  return { manager, data: await manager.channel<string>("data") };
}

test("the end of a run writes the ops of its claim, whatever the end", async () => {
  const { manager, data } = await opened("one store");
  const ends = {
    completed: () => "done",
    failed: () => {
      throw new Error("no");
    },
  };
  for (const [status, body] of Object.entries(ends)) {
    const seen: RunRecord[] = [];
    await manager.run("a", body, { claim: claimOf(data, seen) }).catch(() => {});
    expect(seen.map((one) => one.status)).toEqual([status]);
    expect(await data.get("ended")).toBe(status);
    expect(await data.get("taken")).toBeUndefined();
  }
  const run = await manager.start("a", { claim: claimOf(data, []) });
  expect(await data.get("taken")).toBe("yes");
  await run.skip("nothing to do");
  expect(await data.get("ended")).toBe("skipped");
  await manager.close();
});

test("if a check for the end fails, the run is closed as failed, with the ops for that", async () => {
  const { manager, data } = await opened("one store");
  await data.set("guard", "changed by another writer");
  const seen: RunRecord[] = [];
  const error = await rejection(manager.run("a", () => "done", { claim: claimOf(data, seen) }));
  expect(error).toMatchObject({ code: "ENDED" });
  expect(seen.map(({ status }) => status)).toEqual(["completed", "failed"]);
  expect(await data.get("ended")).toBe("failed");
  const [record] = await all(manager.history({ name: "a" }));
  expect(record).toMatchObject({ status: "failed", inError: true });
  expect(record?.error).toContain("refused");
  expect(await manager.heldLocks()).toEqual([]);
  await manager.close();
});

test("if no ops for the end can be applied, the lock is released without them", async () => {
  const { manager, data } = await opened("one store");
  const claim = claimOf(data, []);
  const never = { check: "guard", version: "1" };
  const stuck = { ...claim, end: () => [{ channel: data as Channel<unknown>, ops: [never] }] };
  await rejection(manager.run("a", () => "done", { claim: stuck }));
  expect(await manager.heldLocks()).toEqual([]);
  expect(await all(manager.history({ name: "a" }))).toMatchObject([{ status: "failed" }]);
  await manager.close();
});

test.each(["one store", "two stores"] as const)("a claim may follow what its end checks: %s", async (stores) => {
  const { manager, data } = await opened(stores);
  await data.set("guard", "changed by another writer");
  let version: string | null = null;
  const claim: StartClaim = {
    ...claimOf(data, []),
    end: (record) => claimOf(data, [], version).end?.(record) ?? [],
    endRefused: async () => {
      const before = version;
      version = (await data.entry("guard"))?.version ?? null;
      return version !== before;
    },
  };
  const { record } = await manager.run("a", () => "done", { claim });
  expect(record.status).toBe("completed");
  expect(await data.get("ended")).toBe("completed");
  expect(await manager.heldLocks()).toEqual([]);
  await manager.close();
});

test("with two stores, the commit that releases the lock has the ops", async () => {
  const { manager, data } = await opened("two stores");
  const { record } = await manager.run("a", () => "done", { claim: claimOf(data, []) });
  expect(record.status).toBe("completed");
  expect(await data.get("ended")).toBe("completed");
  expect(await manager.heldLocks()).toEqual([]);
  await manager.close();
});
