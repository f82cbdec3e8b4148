import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type ProcessIdentity, processIdentity, processState } from "@ojm/core/backend";
import { JobError } from "./error.js";

/** No pid file is longer. Whatever is, was not meant to be one. */
const LONGEST = 4_096;

/** What a pid file says of the process that it names. */
export type Holder =
  /** It is gone, or there never was one: the file may be replaced. */
  | { readonly is: "gone" }
  /** It runs for sure, and it is this very one. */
  | { readonly is: "there"; readonly identity: ProcessIdentity }
  /** Nobody can tell from here. It must be neither ended nor replaced. */
  | { readonly is: "unclear"; readonly why: string };

/** What this process writes into a pid file: its pid for other programs, and below it which process of that pid is meant. */
export function pidFileText(): string {
  return `${process.pid}\n${JSON.stringify(processIdentity())}\n`;
}

/**
 * The text of a pid file, `undefined` if there is none.
 *
 * @throws JobError if what is there cannot be a pid file, or cannot be read
 */
export function readPidFile(path: string): string | undefined {
  let fd: number;
  try {
    // A link would lead to somebody else's file, and a pipe would never answer.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    fd = openSync(path, flags);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP")
      throw new JobError(`the pid file ${path} is a symbolic link, which is not followed: remove it`);
    throw new JobError(
      `the pid file ${path} cannot be read: ${message}. If it is another user's, this job file may run under that user.`,
    );
  }
  try {
    const bytes = Buffer.alloc(LONGEST + 1);
    const length = fstatSync(fd).isFile() ? readSync(fd, bytes, 0, bytes.length, 0) : bytes.length;
    if (length > LONGEST) throw noPidFile(path);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}

/**
 * Who holds a pid file of this text.
 *
 * @throws JobError if it is no text of a pid file
 */
export function holderIn(text: string, path: string): Holder {
  const [first = "", second = ""] = text.split("\n");
  // A power cut can leave a file behind whose text never reached the disk.
  if (/^[\s\0]*$/.test(text)) return { is: "gone" };
  if (!/^\s*[1-9]\d{0,9}\s*$/.test(first)) throw noPidFile(path);
  const pid = Number(first);
  const identity = identityIn(second, pid);
  return identity === undefined ? byPidAlone(pid) : byIdentity(identity);
}

function noPidFile(path: string): JobError {
  return new JobError(`${path} is no pid file, so it is left alone: give "pidFile" a name of its own, or remove it`);
}

function byIdentity(identity: ProcessIdentity): Holder {
  const me = processIdentity();
  if (me.boot === "" || identity.boot === "") return byPidAlone(identity.pid);
  // No process survives a restart of its host.
  if (me.boot !== identity.boot) return { is: "gone" };
  const state = processState(identity);
  if (state === "there") return { is: state, identity };
  if (state === "gone") return { is: state };
  if (me.namespace !== identity.namespace) {
    return {
      is: "unclear",
      why: `is of process ${identity.pid} of another pid namespace: another container of this host, or this one before it was restarted`,
    };
  }
  // Of a namespace without a name, or a process that the system hides from us: its number proves nothing, not even its absence.
  return unclear(identity.pid);
}

/** A file of another program's making, or a system that does not tell when a process has started. */
function byPidAlone(pid: number): Holder {
  // Somebody who had our number before us: the first process of a container has the same one after each restart.
  if (pid === process.pid || !isThere(pid)) return { is: "gone" };
  return unclear(pid);
}

function unclear(pid: number): Holder {
  return {
    is: "unclear",
    why: `names process ${pid} and not for sure which one: the one that has this number may be another program's by now`,
  };
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function identityIn(text: string, pid: number): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text) as ProcessIdentity;
    const words = [value.host, value.boot, value.namespace, value.started];
    return value.pid === pid && words.every((word) => typeof word === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}
