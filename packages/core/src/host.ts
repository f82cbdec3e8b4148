import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Which process this is, so that another process of the same boot can tell for sure that it is gone.
 * A pid alone is used again; with its start time, its namespace and the boot it is unique.
 */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Names this boot of this machine. */
  readonly boot: string;
  /** The pid namespace: in a container, the same number is another process. "" where it is not known. */
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
 * Names this boot of this machine. Where the system has no such name (anything but Linux), it is "" and means: not known.
 */
export function bootId(): string {
  boot ??= tryRead(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? "";
  return boot;
}

/** Start time from `/proc/PID/stat`; `gone` if there is no such process any more, `unknown` if the system does not tell. */
function startTime(pid: number): string {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (stat === undefined) return isThere(pid) ? "unknown" : "gone";
  // The command name, in parentheses, may hold spaces and parentheses of its own: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  return state === "Z" || state === "X" ? "gone" : (fields[19] ?? "unknown");
}

/** Asked by signal 0 where `/proc` says nothing: mounted with `hidepid` it hides the living processes of other users. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** "" also where `/proc` is that of another namespace, as after `unshare --pid`: what it says of a number is another process's. */
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

/**
 * What can be said for sure of a process. `unknown` is one that is not for us to judge: of another host, of another pid
 * namespace, of a system without `/proc`, or with that of another pid namespace. A process from before the last boot of
 * this host is not judged either: a clone of a machine carries the same host name.
 */
export function processState(other: ProcessIdentity): "there" | "gone" | "unknown" {
  const me = processIdentity();
  const sameWorld = me.boot !== "" && me.boot === other.boot && me.namespace !== "" && me.namespace === other.namespace;
  if (!sameWorld || other.started === "unknown") return "unknown";
  // Nobody who reads this is gone. Waiters ask often, and many of those that they ask about live here.
  const started = other.pid === me.pid ? me.started : startTime(other.pid);
  if (started === "unknown") return "unknown";
  return started === other.started ? "there" : "gone";
}

/** Whether that process is certainly gone. False means: it is there, or nobody here can tell. */
export function processIsGone(other: ProcessIdentity): boolean {
  return processState(other) === "gone";
}
