import { createHash, randomUUID } from "node:crypto";
import { linkSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type ProcessIdentity, processIdentity } from "@ojm/core/backend";
import { endProcess } from "./end-process.js";
import { JobError } from "./error.js";
import { type Holder, holderIn, pidFileText, readPidFile } from "./pid-file.js";

/** How long to wait before looking again whether another process has cleared a file away, in ms. */
const LOOK = 10;
/** How long another process may take to clear a file away, in ms. It takes two calls to the system. */
const LONGEST_TURN = 5_000;

/** What `ojob.unique` asks for. */
export interface UniqueSettings {
  readonly pidFile?: string;
  readonly killPrevious?: boolean;
}

/** The pid files that this process holds. Where the system does not tell one process from another, this does. */
const held = new Set<string>();

/**
 * Makes this process the only one that runs with this pid file on this host, and returns how to let go of it.
 *
 * @throws JobError if another process has it or may have it, or if the file cannot be written
 */
export async function becomeUnique(
  { pidFile, killPrevious = false }: UniqueSettings,
  grace: number,
): Promise<() => void> {
  const path = resolve(String(pidFile ?? "ojob.pid"));
  const text = pidFileText();
  const own = writeBeside(path, text);
  try {
    while (!claim(own, path)) await makeRoom({ path, own, killPrevious, grace });
    held.add(path);
  } finally {
    remove(own, path);
  }
  return () => letGo(path, text);
}

function letGo(path: string, text: string): void {
  held.delete(path);
  try {
    if (readPidFile(path) === text) remove(path, path);
  } catch {
    // The jobs are done. What is left behind names a process that is gone, and blocks nobody.
  }
}

/** Our text under a name of its own. Exclusively: whoever lays a link there beforehand would have us write over its target. */
function writeBeside(path: string, text: string): string {
  const own = `${path}.${randomUUID()}`;
  try {
    attempt(path, "written", () => writeFileSync(own, text, { flag: "wx", mode: 0o600 }));
    return own;
  } catch (error) {
    // On a full disk the file may be there without its text.
    rmSync(own, { force: true });
    throw error;
  }
}

/** Puts our file in its place if nothing is there: a link is made by one process only, and follows none that is there. */
function claim(own: string, path: string): boolean {
  return attempt(path, "written", () => {
    try {
      linkSync(own, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  });
}

interface Claim {
  readonly path: string;
  readonly own: string;
  readonly killPrevious: boolean;
  readonly grace: number;
}

/** Clears away the file that is in our way, or ends the process that holds it. */
async function makeRoom({ path, own, killPrevious, grace }: Claim): Promise<void> {
  const text = readPidFile(path);
  if (text === undefined) return;
  const holder = holderIn(text, path);
  if (held.has(path) || isThisProcess(holder)) throw running(process.pid, `${path}, held by this very process`);
  if (holder.is === "gone") return clearAway(path, text, own);
  if (holder.is === "unclear") throw cannotTell(path, holder.why);
  if (!killPrevious) throw running(holder.identity.pid, path);
  await endProcess(holder.identity, grace);
}

function isThisProcess(holder: Holder): boolean {
  return holder.is === "there" && isSame(holder.identity, processIdentity());
}

function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.started === b.started && a.boot === b.boot && a.namespace === b.namespace;
}

function running(pid: number, where: string): JobError {
  return new JobError(`this job file is running already: pid ${pid} (${where})`);
}

function cannotTell(path: string, why: string): JobError {
  return new JobError(
    `the pid file ${path} ${why}. Whether this job file runs already cannot be told from here, so nothing was started or ended. ` +
      "If it does not run, remove the file. In a container, keep it in a folder that is empty at each start.",
  );
}

/**
 * Clears away the file of a process that is gone. Only one process at a time may clear away this text: a second one would
 * clear away what somebody has put in its place since. A process that is gone never writes again, so no text comes twice.
 */
async function clearAway(path: string, text: string, own: string): Promise<void> {
  const turn = `${path}.${createHash("sha256").update(text).digest("hex").slice(0, 16)}.takeover`;
  if (!claim(own, turn)) return waitForTurn(turn, own);
  try {
    if (readPidFile(path) === text) remove(path, path);
  } finally {
    remove(turn, path);
  }
}

/** Waits for the process that is at it. The turn of one that died meanwhile is cleared away in the same manner. */
async function waitForTurn(turn: string, own: string): Promise<void> {
  const last = performance.now() + LONGEST_TURN;
  const text = readPidFile(turn);
  while (text !== undefined && readPidFile(turn) === text) {
    const holder = holderIn(text, turn);
    if (holder.is === "gone") return clearAway(turn, text, own);
    if (performance.now() > last) {
      throw new JobError(`another process is clearing away the pid file and does not get on: it is named in ${turn}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}

function remove(file: string, path: string): void {
  attempt(path, "cleared away", () => {
    try {
      unlinkSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  });
}

function attempt<T>(path: string, done: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw new JobError(`the pid file ${path} cannot be ${done}: ${(error as Error).message}`);
  }
}
