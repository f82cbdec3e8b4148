import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Identifies a process, so that another process of the same boot can be sure when it is gone. The system
 * reuses pids; a pid is unique together with the start time, the pid namespace and the boot.
 */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** The id of this boot of this machine. */
  readonly boot: string;
  /** The pid namespace: elsewhere, the same pid is another process. "" if the system does not report it. */
  readonly namespace: string;
  /** Start time of the process in ticks since boot. */
  readonly started: string;
}

function tryRead(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

/**
 * The id of this boot of this machine. "" where the system has none (anything but Linux).
 */
export function bootId(): string {
  boot ??= tryRead(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? "";
  return boot;
}

/** Start time from `/proc/PID/stat`; `gone` without such a process, `unknown` if it is not reported. */
function startTime(pid: number): string {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (stat === undefined) return isThere(pid) ? "unknown" : "gone";
  // The command name, in parentheses, may contain spaces and parentheses: count from its end.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  return state === "Z" || state === "X" ? "gone" : (fields[19] ?? "unknown");
}

/** Sends signal 0 where `/proc` has no entry: with `hidepid` it hides living processes of other users. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/**
 * Returns "" even if there is a `/proc`, but of another namespace, as after `unshare --pid`: a pid names
 * another process there.
 */
function pidNamespace(): string {
  const isOurs = tryRead(() => readlinkSync("/proc/self")) === String(process.pid);
  return isOurs ? (tryRead(() => readlinkSync("/proc/self/ns/pid")) ?? "") : "";
}

let self: ProcessIdentity | undefined;

/** The identity of this process. */
export function processIdentity(): ProcessIdentity {
  self ??= {
    host: hostname(),
    pid: process.pid,
    boot: bootId(),
    namespace: pidNamespace(),
    started: startTime(process.pid),
  };
  return self;
}

/** The identity of a process of this machine, such as a child. */
export function identityOf(pid: number): ProcessIdentity {
  return { ...processIdentity(), pid, started: startTime(pid) };
}

/**
 * The state of a process, as far as this one can be sure. `unknown`: the process is of another host, of
 * another pid namespace or of another boot, or there is no `/proc` of this pid namespace. An earlier boot of
 * this host cannot be distinguished from a clone of the machine, which has the same host name.
 */
export function processState(other: ProcessIdentity): "there" | "gone" | "unknown" {
  const me = processIdentity();
  const sameWorld = me.boot !== "" && me.boot === other.boot && me.namespace !== "" && me.namespace === other.namespace;
  if (!sameWorld || other.started === "unknown") return "unknown";
  // This process is not gone. Waiters check often, and often a session of their own process.
  const started = other.pid === me.pid ? me.started : startTime(other.pid);
  if (started === "unknown") return "unknown";
  return started === other.started ? "there" : "gone";
}

/** Whether a process is certainly gone. False: it is there, or its state is unknown. */
export function processIsGone(other: ProcessIdentity): boolean {
  return processState(other) === "gone";
}
