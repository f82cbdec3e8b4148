import { existsSync, readdirSync, readFileSync } from "node:fs";

/**
 * The ids of a process and of all processes that it started: a server such as PostgreSQL has one process for
 * each connection. On a system without `/proc`, only the process itself.
 */
export function familyOf(pid: number): number[] {
  const family = [pid];
  for (const parent of family) family.push(...childrenOf(parent));
  return family;
}

function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => {
    const children = read(`/proc/${pid}/task/${thread}/children`);
    return children.split(" ").filter(Boolean).map(Number);
  });
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Returns an empty text if the process has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Whether all threads of a process are stopped or have ended. Always true on a system without `/proc`. */
export function standsStill(pid: number): boolean {
  return threadsOf(pid).every((thread) => "TtZX".includes(stateOf(`/proc/${pid}/task/${thread}/stat`)));
}

/**
 * Resolves once all threads of a process that was sent SIGSTOP are stopped. A signal takes effect late, and
 * until then a thread may answer one more request.
 */
export async function stopped(pid: number | undefined): Promise<void> {
  while (pid !== undefined && !standsStill(pid)) await new Promise((resolve) => setTimeout(resolve, 1));
}

/**
 * Stops a process and all that it started. Resolves to their ids, once all their threads are stopped: then
 * none of them can start another one.
 */
export async function stopFamily(pid: number): Promise<number[]> {
  // A signal takes effect late: until then a thread may answer one more request or start one more process.
  for (let family = familyOf(pid); ; family = familyOf(pid)) {
    if (family.every(standsStill)) return family;
    for (const each of family) signal(each, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/**
 * Whether a process has ended. An ended process may still be listed, as a zombie, until its parent reads its
 * exit status.
 */
export function hasEnded(pid: number): boolean {
  if (existsSync("/proc/self/stat")) return "ZX".includes(stateOf(`/proc/${pid}/stat`));
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/**
 * The state of a process or thread as one letter: `T` is stopped, `Z` and `X` are ended. Empty if it no
 * longer exists.
 */
function stateOf(file: string): string {
  const stat = read(file);
  return stat.charAt(stat.lastIndexOf(")") + 2);
}

/** Sends a signal. Does nothing if the process no longer exists. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
