import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type ProcessIdentity, processIdentity, processIsGone } from "@ojm/core/backend";
import { JobError } from "./error.js";

/** How long to wait before looking again whether the process before is gone, in ms. */
const LOOK = 10;

/** What `ojob.unique` asks for. */
export interface UniqueSettings {
  readonly pidFile?: string;
  readonly killPrevious?: boolean;
}

/**
 * Makes this process the only one that runs with this pid file on this host, and returns how to let go of it. The file holds the
 * pid in its first line, and below it which process of that pid is meant: a number that is used again blocks nobody.
 *
 * @throws JobError if another process has it, or the file cannot be written
 */
export async function becomeUnique(
  { pidFile, killPrevious = false }: UniqueSettings,
  grace: number,
): Promise<() => void> {
  const path = resolve(String(pidFile ?? "ojob.pid"));
  const own = `${path}.${process.pid}`;
  const text = `${process.pid}\n${JSON.stringify(processIdentity())}\n`;
  try {
    writeFileSync(own, text);
  } catch (error) {
    throw new JobError(`the pid file ${path} cannot be written: ${(error as Error).message}`);
  }
  try {
    while (!claim(own, path)) {
      const holder = holderOf(path);
      if (holder === undefined) takeOver(own, path);
      else if (killPrevious) await endProcess(holder, grace);
      else throw new JobError(`this job file is running already: pid ${holder.pid} (${path})`);
    }
  } finally {
    rmSync(own, { force: true });
  }
  return () => {
    if (read(path) === text) rmSync(path, { force: true });
  };
}

/** Puts our file in its place if nothing is there: a link is made by one process only. */
function claim(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new JobError(`the pid file ${path} cannot be written: ${(error as Error).message}`);
  }
}

/**
 * Clears away the file of a process that is gone. Only one process at a time does so, and looks once more before: another one
 * may have put its own file there since.
 */
function takeOver(own: string, path: string): void {
  const turn = `${path}.takeover`;
  if (!claim(own, turn)) {
    // Whoever is at it needs no longer than this call; one that died meanwhile is cleared away.
    if (isLeftBehind(turn)) rmSync(turn, { force: true });
    return;
  }
  try {
    // One that was given back meanwhile is not there: whoever claims it next is alive, and must not be cleared away.
    if (isLeftBehind(path)) renameSync(path, `${own}.stale`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  } finally {
    rmSync(`${own}.stale`, { force: true });
    rmSync(turn, { force: true });
  }
}

/** Whether there is a pid file of a process that is gone. */
function isLeftBehind(path: string): boolean {
  const text = read(path);
  return text !== undefined && holderIn(text) === undefined;
}

/** The process that a pid file names, if it is not gone. */
function holderOf(path: string): Pick<ProcessIdentity, "pid"> | undefined {
  return holderIn(read(path) ?? "");
}

function holderIn(text: string): Pick<ProcessIdentity, "pid"> | undefined {
  const [first = "", second = ""] = text.split("\n");
  const pid = Number(first);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const identity = parse(second);
  // A file of somebody else's making names a pid only.
  const gone = identity === undefined ? !isThere(pid) : processIsGone(identity) || !isThere(pid);
  return gone ? undefined : { pid };
}

async function endProcess(holder: Pick<ProcessIdentity, "pid">, grace: number): Promise<void> {
  const last = performance.now() + grace;
  signal(holder.pid, "SIGTERM");
  while (isThere(holder.pid) && performance.now() < last) await new Promise((resolve) => setTimeout(resolve, LOOK));
  signal(holder.pid, "SIGKILL");
  while (isThere(holder.pid)) await new Promise((resolve) => setTimeout(resolve, LOOK));
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPERM")
      throw new JobError(`the process before, pid ${pid}, belongs to another user: it cannot be ended`);
  }
}

/** A process that has ended and that its parent has not asked after yet is gone all the same. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const stat = read(`/proc/${pid}/stat`);
  return stat === undefined || !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parse(text: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
