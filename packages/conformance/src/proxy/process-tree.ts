import { existsSync, readdirSync, readFileSync } from "node:fs";

/**
 * A process and all that it started: a server such as PostgreSQL answers from processes of its own for each
 * connection. Where the system does not tell, the process alone.
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

/** A process that is gone in the meantime has nothing to tell. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/**
 * Whether all threads of a process stand still or have ended. Where the system does not tell, it is believed.
 */
export function standsStill(pid: number): boolean {
  return threadsOf(pid).every((thread) => "TtZX".includes(stateOf(`/proc/${pid}/task/${thread}/stat`)));
}

/** Whether a process has ended. Nobody may have asked yet how: it is then still listed. */
export function hasEnded(pid: number): boolean {
  if (existsSync("/proc/self/stat")) return "ZX".includes(stateOf(`/proc/${pid}/stat`));
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** The letter that stands for it: `T` is stopped, `Z` and `X` are ended; an empty text is gone. */
function stateOf(file: string): string {
  const stat = read(file);
  return stat.charAt(stat.lastIndexOf(")") + 2);
}

/** Sends a signal, unless the process is gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
