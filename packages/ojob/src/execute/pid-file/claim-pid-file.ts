import { createHash, randomUUID } from "node:crypto";
import { linkSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { type ProcessIdentity, processIdentity, processState } from "@ojm/core/internal";
import { JobError } from "../runtime/job-error.js";
import {
  type Holder,
  type HolderSocket,
  holderIn,
  openHolderSocket,
  pidFileText,
  readPidFile,
  removeHolderSocket,
  socketIn,
} from "./pid-file.js";

/** The interval between two checks whether another process has removed a file, in ms. */
const CHECK_INTERVAL = 10;
/** How long another process may take to remove a file, in ms. It takes two system calls. */
const LONGEST_TURN = 5_000;

interface UniqueSettings {
  /** The absolute path. */
  readonly pidFile: string;
  readonly killPrevious?: boolean;
}

/** The pid files of this process, for systems that cannot distinguish processes with the same pid. */
const held = new Set<string>();

/** Claims a pid file for this process, as its only holder on this host. Call the result to release it. */
export async function claimPidFile(
  { pidFile: path, killPrevious = false }: UniqueSettings,
  grace: number,
): Promise<() => void> {
  // The socket listens before the pid file appears, and until after it is removed. So a socket without a
  // listener proves that its holder is gone.
  const socket = await openHolderSocket(path);
  const text = pidFileText(socket?.address);
  try {
    const own = writeBeside(path, text);
    try {
      while (!claim(own, path)) await makeRoom({ path, own, killPrevious, grace });
      held.add(path);
    } finally {
      remove(own, path);
    }
  } catch (error) {
    socket?.close();
    throw error;
  }
  return () => letGo(path, text, socket);
}

function letGo(path: string, text: string, socket: HolderSocket | undefined): void {
  held.delete(path);
  try {
    if (readPidFile(path) === text) remove(path, path);
  } catch {
    // The jobs are done. A file that stays behind names a process that is gone, and blocks no process.
  }
  socket?.close();
}

/** Writes our text into a file of its own. `wx` refuses a link that would lead us to its target. */
function writeBeside(path: string, text: string): string {
  const own = `${path}.${randomUUID()}`;
  try {
    attempt(path, "written", () => writeFileSync(own, text, { flag: "wx", mode: 0o600 }));
    return own;
  } catch (error) {
    // On a full disk, the file may exist without its contents.
    try {
      rmSync(own, { force: true });
    } catch {
      // The first error says why.
    }
    throw error;
  }
}

/** Moves our file into place if none is there. link(2) follows no link, and one process can make it. */
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

async function makeRoom({ path, own, killPrevious, grace }: Claim): Promise<void> {
  const text = readPidFile(path);
  if (text === undefined) return;
  const holder = await holderIn(text, path);
  if (held.has(path) || isThisProcess(holder)) throw running(process.pid, `${path}, held by this very process`);
  if (holder.is === "gone") return clearAway(path, text, own);
  if (holder.is === "elsewhere") throw elsewhere(holder.pid, path, killPrevious);
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

function elsewhere(pid: number, path: string, killPrevious: boolean): JobError {
  const hint = killPrevious ? " It cannot be ended from here: end it there, then start again." : "";
  return new JobError(
    `this job file is running already: pid ${pid} of another container of this host (${path}).${hint}`,
  );
}

function cannotTell(path: string, why: string): JobError {
  return new JobError(
    `the pid file ${path} ${why}. It does not show whether this job file is running, so nothing was started or ended. ` +
      "If it does not run, remove the file. In a container, keep it in a folder that is empty at each start.",
  );
}

/**
 * Removes the pid file of a process that is gone. Only one process at a time may remove this text: a second
 * one would remove the file that replaced it. A process that is gone never writes again, so no text comes
 * twice.
 */
async function clearAway(path: string, text: string, own: string): Promise<void> {
  const turn = `${path}.${createHash("sha256").update(text).digest("hex").slice(0, 16)}.takeover`;
  if (!claim(own, turn)) return waitForTurn(turn, own);
  try {
    if (readPidFile(path) === text) remove(path, path);
    const socket = socketIn(text);
    if (socket !== undefined) removeHolderSocket(path, socket);
  } finally {
    remove(turn, path);
  }
}

/** Waits for the process that removes the file, and removes the takeover file of a dead one. */
async function waitForTurn(turn: string, own: string): Promise<void> {
  const last = performance.now() + LONGEST_TURN;
  const text = readPidFile(turn);
  while (text !== undefined && readPidFile(turn) === text) {
    const holder = await holderIn(text, turn);
    if (holder.is === "gone") return clearAway(turn, text, own);
    if (performance.now() > last) {
      throw new JobError(
        `another process has been removing the pid file for ${LONGEST_TURN} ms: ${turn} names that process`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, CHECK_INTERVAL));
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
/** How long a process may take to end after SIGKILL, in ms. */
const KILLED_WITHIN = 5_000;

/**
 * Ends a process by SIGTERM, and after the grace period by SIGKILL. No signal goes to another process that
 * got the same pid meanwhile.
 *
 * @throws JobError if it belongs to another user, or still exists after SIGKILL
 */
export async function endProcess(
  identity: ProcessIdentity,
  grace: number,
  killedWithin: number = KILLED_WITHIN,
): Promise<void> {
  signal(identity, "SIGTERM");
  if (await isGoneWithin(identity, grace)) return;
  signal(identity, "SIGKILL");
  if (await isGoneWithin(identity, killedWithin)) return;
  throw new JobError(
    `the previous process, pid ${identity.pid}, does not end: it still exists ${killedWithin} ms after SIGKILL. ` +
      "It may wait for a disk, or be the first process of this container. End it, then start again.",
  );
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (processState(identity) !== "there") return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EPERM")
      throw new JobError(`the previous process, pid ${identity.pid}, belongs to another user: it cannot be ended`);
  }
}

async function isGoneWithin(identity: ProcessIdentity, ms: number): Promise<boolean> {
  const last = performance.now() + ms;
  while (processState(identity) === "there") {
    if (performance.now() >= last) return false;
    await new Promise((resolve) => setTimeout(resolve, CHECK_INTERVAL));
  }
  return true;
}
