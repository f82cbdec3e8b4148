import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type ProcessIdentity, processIdentity, processState, whyUntrusted } from "@ojm/core/internal";
import { JobError } from "../runtime/job-error.js";
import { addressIn, probeHolder, type SocketAddress } from "./holder-socket.js";

/** The most bytes that a pid file has. A longer file is something else. */
const LONGEST = 4_096;

/** What is known of the process that a pid file names. */
export type Holder =
  /** The process is gone, or there never was one: the file may be replaced. */
  | { readonly is: "gone" }
  /** The process certainly runs, and it is the one that wrote the file. */
  | { readonly is: "there"; readonly identity: ProcessIdentity }
  /** The process certainly runs, in another container of this host. No signal reaches it from here. */
  | { readonly is: "elsewhere"; readonly pid: number }
  /** Nothing is certain: the process must not be ended and the file must not be replaced. */
  | { readonly is: "unclear"; readonly why: string };

/**
 * The text of our pid file. The first line is the pid, for other programs. The second line is the identity of
 * this process and the address of its socket.
 */
export function pidFileText(socket: SocketAddress | undefined): string {
  return `${process.pid}\n${JSON.stringify({ ...processIdentity(), socket })}\n`;
}

/**
 * The text of a pid file. `undefined` if there is none.
 *
 * @throws JobError if what is there cannot be a pid file, or cannot be read
 */
export function readPidFile(path: string): string | undefined {
  let fd: number;
  try {
    // A link would lead to another user's file, and a pipe would never answer.
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
    const stats = fstatSync(fd);
    // It names a process to end: another user must not choose which.
    const why = whyUntrusted(stats);
    if (stats.isFile() && why !== undefined) throw untrusted(path, why);
    const length = stats.isFile() ? readSync(fd, bytes, 0, bytes.length, 0) : bytes.length;
    if (length > LONGEST) throw noPidFile(path);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}

/**
 * Finds out who holds a pid file with this text.
 *
 * @throws JobError if it is no text of a pid file
 */
export async function holderIn(text: string, path: string): Promise<Holder> {
  const [first = "", second = ""] = text.split("\n");
  // A power cut can leave a file whose text never reached the disk.
  if (/^[\s\0]*$/.test(text)) return { is: "gone" };
  if (!/^\s*[1-9]\d{0,9}\s*$/.test(first)) throw noPidFile(path);
  const pid = Number(first);
  const identity = identityIn(second, pid);
  return identity === undefined ? byPidAlone(pid) : byIdentity(identity, path);
}

/** The socket that a pid file with this text names. */
export function socketIn(text: string): SocketAddress | undefined {
  const [first = "", second = ""] = text.split("\n");
  return identityIn(second, Number(first))?.socket;
}

function untrusted(path: string, why: string): JobError {
  return new JobError(
    `the pid file ${path} is not trusted: ${why}, so nothing was started or ended. If no process of yours made it, ` +
      'remove it, or give "pidFile" a path in a folder that only you may write to',
  );
}

function noPidFile(path: string): JobError {
  return new JobError(`${path} is no pid file, so it is left alone: give "pidFile" a name of its own, or remove it`);
}

async function byIdentity(identity: WrittenIdentity, path: string): Promise<Holder> {
  const me = processIdentity();
  if (me.boot === "" || identity.boot === "") return byPidAlone(identity.pid);
  // No process survives a restart of its host.
  if (me.boot !== identity.boot) return { is: "gone" };
  const state = processState(identity);
  if (state === "there") return { is: state, identity };
  if (state === "gone") return { is: state };
  if (me.namespace !== identity.namespace) return bySocket(identity, path);
  // The namespace has no name, or the system hides the process from us. Then even an unused pid proves
  // nothing.
  return unclear(identity.pid);
}

/** Judges a process of another container, or of this one before its restart. Its pid means nothing here. */
async function bySocket({ pid, socket }: WrittenIdentity, path: string): Promise<Holder> {
  const state = socket === undefined ? "unknown" : await probeHolder(path, socket);
  if (state === "there") return { is: "elsewhere", pid };
  if (state === "gone") return { is: "gone" };
  return {
    is: "unclear",
    why: `is of process ${pid} of another pid namespace: another container of this host, or this one before it was restarted`,
  };
}

/**
 * Judges by the pid alone: another program wrote the file, or the system does not tell when a process
 * started.
 */
function byPidAlone(pid: number): Holder {
  // An earlier process had our pid: the first process of a container gets the same one at each restart.
  if (pid === process.pid || !isThere(pid)) return { is: "gone" };
  return unclear(pid);
}

function unclear(pid: number): Holder {
  return {
    is: "unclear",
    why: `names process ${pid} without a proof: that pid may belong to another program by now`,
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

interface WrittenIdentity extends ProcessIdentity {
  readonly socket: SocketAddress | undefined;
}

function identityIn(text: string, pid: number): WrittenIdentity | undefined {
  try {
    const value = JSON.parse(text) as WrittenIdentity;
    const words = [value.host, value.boot, value.namespace, value.started];
    if (value.pid !== pid || !words.every((word) => typeof word === "string")) return undefined;
    return { ...value, socket: addressIn(value.socket) };
  } catch {
    return undefined;
  }
}
