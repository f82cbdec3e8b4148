import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import workerThreads from "node:worker_threads";
import { backend as level } from "@ojm/level";
import { backend as sqlite } from "@ojm/sqlite";
import { temporaryFolder } from "@ojm/testing/folder";
import { jsArgs } from "@ojm/testing/programs";
import { expect, onTestFinished, test, vi } from "vitest";
import { openChannel } from "../channel/open.js";
import type { OpenOptions } from "../channel/types.js";
import { rejection } from "../testing/settle.js";
import { systemClock } from "../util/clock.js";
import type { LocksValue } from "./entries/schema.js";
import { openLocks } from "./locks.js";
import { HeartbeatThread } from "./session/heartbeat-thread.js";

function compute(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/**
 * Node cannot start threads, as under its permission model without `--allow-worker`, or if the system has
 * none left.
 */
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
  ["on LevelDB", () => ({ backend: level, args: { path: temporaryFolder() } })],
];

test.each(stores)("%s a lock outlives work that keeps the only process of the store busy", async (_, options) => {
  const channel = await openChannel<LocksValue>("busy", options());
  onTestFinished(() => channel.close());
  const [one, two] = [openLocks(channel, { ttl: 50 }), openLocks(channel, { ttl: 50 })];
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

test("a session left by another process in a store of one process at a time is dead, whatever its host and boot", async () => {
  const channel = await openChannel<LocksValue>("left", { type: "simple" });
  onTestFinished(() => channel.close());
  const process = { host: "elsewhere", pid: 1, boot: "before", namespace: "another", started: "1" };
  await channel.set(["session", "left"], { id: "left", process, since: 0, beat: 0 });
  const holder = { host: "elsewhere", pid: 1, instance: "left" };
  await channel.set(["lock", "a"], { name: "a", holder, token: "t", since: 0, timeout: 9e9, until: 9e9 });
  const locks = openLocks(channel);
  await (await locks.acquire("a")).release();
  await locks.sweep();
  await locks.close();
  expect(await channel.size()).toBe(0);
});

test("a heartbeat thread that fails causes a warning, and the heartbeats of the main thread continue", async () => {
  const file = join(temporaryFolder(), "only-main.mjs");
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
  const locks = openLocks(channel, { ttl: 6_000 });
  const lease = await locks.acquire("a");
  expect(await warned).toMatchObject({ name: "OjmWarning", code: "OJM_HEARTBEAT" });
  expect((await warned).message).toContain("not in a thread");
  const version = lease.session.version;
  await expect.poll(() => lease.session.version).not.toBe(version);
  expect(lease.held).toBe(true);
  await locks.close();
});

test("a heartbeat thread loads what the store needs before it needs the store", async () => {
  const [folder, simple] = [temporaryFolder(), import.meta.resolve("@ojm/simple")];
  const [type, loaded, opened] = ["type.mjs", "loaded", "opened"].map((name) => join(folder, name));
  const source = `import { writeFileSync } from "node:fs";
    import { isMainThread } from "node:worker_threads";
    const note = (file) => isMainThread || writeFileSync(file, "");
    export const backend = { type: "heavy", load: async () => note(${JSON.stringify(loaded)}), open: async (...args) => {
      note(${JSON.stringify(opened)});
      const { backend: simple } = await import(${JSON.stringify(simple)});
      const store = await simple.open(...args);
      const supports = Object.freeze({ ...store.supports, shared: "network" });
      return Object.create(store, { supports: { value: supports } });
    } };`;
  writeFileSync(type ?? "", source);
  const channel = await openChannel<LocksValue>("loading", { type: type ?? "" });
  onTestFinished(() => channel.close());
  const locks = openLocks(channel, { ttl: 6_000 });
  await locks.acquire("a");
  await expect.poll(() => existsSync(loaded ?? "")).toBe(true);
  expect(existsSync(opened ?? "")).toBe(false);
  await locks.close();
});

test("a heartbeat thread that cannot be started causes a warning, and the main thread keeps the locks", async () => {
  withoutThreads();
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const channel = await openChannel<LocksValue>("refused", {
    backend: sqlite,
    args: { file: join(temporaryFolder(), "db") },
  });
  onTestFinished(() => channel.close());
  const locks = openLocks(channel, { ttl: 6_000 });
  const lease = await locks.acquire("a");
  expect(await warned).toMatchObject({ name: "OjmWarning", code: "OJM_HEARTBEAT" });
  expect((await warned).message).toContain("access to threads is restricted");
  const version = lease.session.version;
  await expect.poll(() => lease.session.version).not.toBe(version);
  expect(lease.held).toBe(true);
  await locks.close();
  expect(await channel.size()).toBe(0);
});

// A store in memory has no connection that would keep the process alive, and heartbeats let the process end.
test("a wait for a lock keeps the program alive", async () => {
  const program = `import { openChannel, openLocks } from "@ojm/core";
    const channel = await openChannel("waits", { type: "simple" });
    await openLocks(channel).acquire("a");
    await openLocks(channel).acquire("a", { wait: 300 }).catch(({ code }) => console.log(code));`;
  const args = [...jsArgs(), "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toBe("LOCKED\n");
});

/** Locks in a file, and a program that takes one of them and computes until it may continue. */
async function busyProgram(
  ttl: number,
  timeout: number,
  args: readonly string[] = ["--input-type=module"],
  env: object = {},
) {
  const file = join(temporaryFolder(), "db");
  const channel = await openChannel<LocksValue>("text", { backend: sqlite, args: { file } });
  onTestFinished(() => channel.close());
  const signal = join(temporaryFolder(), "go on");
  const program = `import { existsSync } from "node:fs";
    import { openChannel, openLocks } from "@ojm/core";
    const channel = await openChannel("text", { type: "sqlite", args: { file: ${JSON.stringify(file)} } });
    const locks = openLocks(channel, { ttl: ${ttl} });
    const lease = await locks.acquire("a", { timeout: ${timeout} });
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(${JSON.stringify(signal)})) Atomics.wait(nothing, 0, 0, 20);
    console.log(lease.held ? "held" : "not held");
    await locks.close();
    await channel.close();`;
  const holder = promisify(execFile)(process.execPath, [...jsArgs(), ...args, "--eval", program], {
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void holder.child.kill("SIGKILL"));
  return { channel, holder, goOn: () => writeFileSync(signal, "") };
}

// Only the timeout wakes the thread: the session need not be renewed for half an hour.
test("a heartbeat thread gives back a lock at its timeout while the main thread is busy", async () => {
  const { channel, holder, goOn } = await busyProgram(3_600_000, 1_000);
  const size = (): Promise<number> => channel.size({ prefix: ["lock"] });
  await Promise.race([expect.poll(size, { interval: 20 }).toBe(1), holder]);
  await Promise.race([expect.poll(size, { interval: 100 }).toBe(0), holder]);
  goOn();
  expect((await holder).stdout).toBe("not held\n");
});

test("a heartbeat thread learns of a timeout that comes sooner than its next check", async () => {
  const channel = await openChannel<LocksValue>("told", {
    type: "sqlite",
    args: { file: join(temporaryFolder(), "db") },
  });
  onTestFinished(() => channel.close());
  const { locator } = channel;
  if (locator === undefined) throw new Error("a thread cannot find it");
  const now = systemClock.monotonic();
  let asked = 0;
  const earliest = (): number => {
    asked++;
    return Number.POSITIVE_INFINITY;
  };
  const data = { locators: { locks: locator }, session: "s", ttl: 3_600_000 };
  const thread = new HeartbeatThread(data, now + 3_600_000, earliest);
  onTestFinished(() => thread.close());
  await expect.poll(() => thread.deadlines.nextLook).toBeGreaterThan(0);
  expect(asked).toBe(0);
  thread.taken(systemClock.monotonic() + 100);
  await expect.poll(() => asked).toBe(1);
});

// With a flag that Node rejects for a thread, unless the thread inherits it.
test.each([
  ["on the command line", ["--input-type=module", "--expose-gc"], {}],
  ["in the environment", ["--expose-gc"], { NODE_OPTIONS: "--input-type=module" }],
])(
  "the heartbeat thread keeps the locks of a program given as a text, said to be a module %s",
  async (_, args, env) => {
    const { channel, holder, goOn } = await busyProgram(12_000, 3_600_000, args, env);
    const renewedBy = async () => {
      for await (const { value } of channel.entries({ prefix: ["session"] })) if ("by" in value) return value.by;
      return undefined;
    };
    await Promise.race([expect.poll(renewedBy, { interval: 100 }).toBe("thread"), holder]);
    goOn();
    expect(await holder).toMatchObject({ stdout: "held\n", stderr: expect.not.stringContaining("OJM_HEARTBEAT") });
    expect(await channel.size()).toBe(0);
  },
);
