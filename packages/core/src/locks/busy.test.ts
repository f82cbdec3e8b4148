import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import workerThreads from "node:worker_threads";
import { backend as level } from "@ojm/level";
import { backend as sqlite } from "@ojm/sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { openChannel } from "../channel/open.js";
import type { OpenOptions } from "../channel/types.js";
import { rejection } from "../testing/settle.js";
import type { LocksValue } from "./entries.js";
import { Locks } from "./locks.js";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "ojm-busy-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function compute(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Node refuses to start threads, as it does without `--allow-worker` under its permission model, or where the system has none left. */
function withoutThreads(): void {
  const refused = vi.spyOn(workerThreads, "Worker").mockImplementation(function refuse() {
    throw new Error("access to threads is restricted");
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    refused.mockRestore();
    syncBuiltinESMExports();
  });
}

const stores: readonly (readonly [string, () => OpenOptions])[] = [
  ["in memory", () => ({ type: "simple", args: {} })],
  ["on LevelDB", () => ({ backend: level, args: { path: folder() } })],
];

test.each(stores)("%s a lock outlives whatever keeps the only process that can look busy", async (_, options) => {
  const channel = await openChannel<LocksValue>("busy", options());
  onTestFinished(() => channel.close());
  const [one, two] = [new Locks(channel, { ttl: 50 }), new Locks(channel, { ttl: 50 })];
  const lease = await one.acquire("a");
  for (let i = 0; i < 4; i++) {
    const next = rejection(two.acquire("a", { wait: 20 }));
    compute(120);
    expect(await next).toMatchObject({ code: "LOCKED" });
    lease.assertHeld();
  }
  await one.close();
  await (await two.acquire("a")).release();
  await two.close();
  expect(await channel.size()).toBe(0);
});

test("what another process left in a store of one process at a time is dead, whatever its host and boot", async () => {
  const channel = await openChannel<LocksValue>("left", { type: "simple" });
  onTestFinished(() => channel.close());
  const process = { host: "elsewhere", pid: 1, boot: "before", namespace: "another", started: "1" };
  await channel.set(["session", "left"], { id: "left", process, since: 0, beat: 0 });
  const holder = { host: "elsewhere", pid: 1, instance: "left" };
  await channel.set(["lock", "a"], { name: "a", holder, token: "t", since: 0, timeout: 9e9, until: 9e9 });
  const locks = new Locks(channel);
  await (await locks.acquire("a")).release();
  await locks.sweep();
  await locks.close();
  expect(await channel.size()).toBe(0);
});

test("a thread that fails is told, and the heartbeats of the main thread go on", async () => {
  const file = join(folder(), "only-main.mjs");
  const simple = import.meta.resolve("@ojm/simple");
  const source = `import { isMainThread } from "node:worker_threads";
    if (!isMainThread) throw new Error("not in a thread");
    export const backend = { type: "only-main", open: async (...args) => {
      const { backend: simple } = await import(${JSON.stringify(simple)});
      const store = await simple.open(...args);
      const other = Object.create(store);
      Object.defineProperty(other, "supports", { value: Object.freeze({ ...store.supports, shared: "network" }) });
      return other;
    } };`;
  writeFileSync(file, source);
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const channel = await openChannel<LocksValue>("failing", { type: file });
  onTestFinished(() => channel.close());
  const locks = new Locks(channel, { ttl: 6_000 });
  const lease = await locks.acquire("a");
  expect(await warned).toMatchObject({ name: "OjmWarning", code: "OJM_HEARTBEAT" });
  expect((await warned).message).toContain("not in a thread");
  const version = lease.session.version;
  await expect.poll(() => lease.session.version).not.toBe(version);
  expect(lease.held).toBe(true);
  await locks.close();
});

test("a thread that cannot be started is told, and the locks are those of the heartbeats of the main thread", async () => {
  withoutThreads();
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const channel = await openChannel<LocksValue>("refused", { backend: sqlite, args: { file: join(folder(), "db") } });
  onTestFinished(() => channel.close());
  const locks = new Locks(channel, { ttl: 6_000 });
  const lease = await locks.acquire("a");
  expect(await warned).toMatchObject({ name: "OjmWarning", code: "OJM_HEARTBEAT" });
  expect((await warned).message).toContain("access to threads is restricted");
  const version = lease.session.version;
  await expect.poll(() => lease.session.version).not.toBe(version);
  expect(lease.held).toBe(true);
  await locks.close();
  expect(await channel.size()).toBe(0);
});

// With a flag that Node refuses for a thread, unless the thread inherits it.
test.each([
  ["on the command line", ["--input-type=module", "--expose-gc"], {}],
  ["in the environment", ["--expose-gc"], { NODE_OPTIONS: "--input-type=module" }],
])("a program that is a text, said to be a module %s, has a thread that keeps its locks", async (_, args, env) => {
  const file = join(folder(), "db");
  const channel = await openChannel<LocksValue>("text", { backend: sqlite, args: { file } });
  onTestFinished(() => channel.close());
  const goOn = join(folder(), "go on");
  const program = `import { existsSync } from "node:fs";
    import { Locks, openChannel } from "@ojm/core";
    const channel = await openChannel("text", { type: "sqlite", args: { file: ${JSON.stringify(file)} } });
    const locks = new Locks(channel, { ttl: 12_000 });
    const lease = await locks.acquire("a");
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(${JSON.stringify(goOn)})) Atomics.wait(nothing, 0, 0, 20);
    lease.assertHeld();
    await locks.close();
    await channel.close();`;
  const sources = ["--import", "tsx", "--conditions=@ojm/source"];
  const holder = promisify(execFile)(process.execPath, [...sources, ...args, "--eval", program], {
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void holder.child.kill("SIGKILL"));
  const renewedBy = async () => {
    for await (const { value } of channel.entries({ prefix: ["session"] })) if ("by" in value) return value.by;
    return undefined;
  };
  await Promise.race([expect.poll(renewedBy, { interval: 100 }).toBe("thread"), holder]);
  writeFileSync(goOn, "");
  expect((await holder).stderr).not.toContain("OJM_HEARTBEAT");
  expect(await channel.size()).toBe(0);
});
