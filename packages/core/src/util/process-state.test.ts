import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { bootId, type ProcessIdentity, processIdentity, processIsGone } from "./process-state.js";

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(code: string): ChildProcess {
  const child = spawn(process.execPath, ["-e", code], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  return child;
}

/** The identity of a child, as the child itself would report it. */
function identityOf(pid: number | undefined): ProcessIdentity {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return { ...processIdentity(), pid: pid ?? 0, started };
}

const stateOf = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.charAt(stat.lastIndexOf(")") + 2);
};

test("the identity of this process stays the same", () => {
  const me = processIdentity();
  expect(me.pid).toBe(process.pid);
  expect(processIdentity()).toBe(me);
  expect(bootId()).toBe(bootId());
  expect(processIsGone(me)).toBe(false);
});

describe.skipIf(!existsSync("/proc/self/stat"))("processes of this host", () => {
  test("a process is gone when it is dead, and not before", async () => {
    const child = start("process.stdin.resume()");
    await once(child, "spawn");
    const identity = identityOf(child.pid);
    expect(processIsGone(identity)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(processIsGone(identity)).toBe(true);
  });

  test("a process that is stopped by SIGSTOP is not gone", async () => {
    const child = start("process.stdin.resume()");
    await once(child, "spawn");
    const identity = identityOf(child.pid);
    child.kill("SIGSTOP");
    await expect.poll(() => stateOf(identity.pid)).toBe("T");
    expect(processIsGone(identity)).toBe(false);
  });

  test("a zombie process is gone, although its parent has not reaped it", async () => {
    // A shell that never waits for its child.
    const parent = spawn("/bin/sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(parent);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(String(line));
    // The shell has become a program that does not know the child.
    await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, "utf8").trim()).toBe("sleep");
    const identity = identityOf(pid);
    expect(processIsGone(identity)).toBe(false);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => stateOf(pid)).toBe("Z");
    expect(processIsGone(identity)).toBe(true);
  });

  test("a process is gone when its pid belongs to another process by now", () => {
    expect(processIsGone({ ...processIdentity(), started: "1" })).toBe(true);
  });

  test.each([
    ["another host", { boot: "another boot" }],
    ["another pid namespace", { namespace: "pid:[1]" }],
    ["a host that names no boot", { boot: "" }],
    ["a process whose start is not known", { started: "unknown" }],
  ])("a process that cannot be judged from here is not gone: %s", (_, other) => {
    expect(processIsGone({ ...processIdentity(), pid: 4_194_304, ...other })).toBe(false);
  });

  test("a process with parentheses and spaces in its name is recognised by its start time", async () => {
    const child = start("process.title = ') S 1 (x) '; process.stdin.resume(); console.log('up')");
    await once(child.stdout as NonNullable<typeof child.stdout>, "data");
    expect(processIsGone(identityOf(child.pid))).toBe(false);
  });
});

describe("a /proc of another pid namespace", () => {
  afterEach(() => {
    vi.doUnmock("node:fs");
    vi.resetModules();
  });

  test("no process is judged to be gone where /proc is that of another pid namespace", async () => {
    vi.resetModules();
    vi.doMock("node:fs", async (original) => {
      const fs = await original<typeof import("node:fs")>();
      const readlinkSync = (path: string): string => (path === "/proc/self" ? "4194304" : fs.readlinkSync(path));
      return { ...fs, readlinkSync };
    });
    const host = await import("./process-state.js");
    const me = host.processIdentity();
    expect(me.namespace).toBe("");
    expect(host.processIsGone({ ...me, pid: me.pid + 1, started: "1" })).toBe(false);
    // Nor does another process judge this one.
    expect(processIsGone({ ...me, started: "1" })).toBe(false);
  });
});
