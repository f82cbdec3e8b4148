import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { type ProcessIdentity, processIdentity, processState, whyUntrusted } from "@ojm/core/internal";
import { JobError } from "../runtime/job-error.js";

/** The most bytes that a pid file has. A longer file is not a pid file. */
const LONGEST = 4_096;

/** The known state of the process that a pid file names. */
export type Holder =
  /** The process is gone, or there never was one: the file may be replaced. */
  | { readonly is: "gone" }
  /** The process certainly runs, and it is the one that wrote the file. */
  | { readonly is: "there"; readonly identity: ProcessIdentity }
  /** The process certainly runs, in another container of this host. No signal reaches it from here. */
  | { readonly is: "elsewhere"; readonly pid: number }
  /** Nothing is certain: the process must not be ended and the file must not be replaced. */
  | { readonly is: "unclear"; readonly why: string };

/** The text of our pid file: the pid for other programs, then our identity and our socket. */
export function pidFileText(socket: SocketAddress | undefined): string {
  return `${process.pid}\n${JSON.stringify({ ...processIdentity(), socket })}\n`;
}

/** The text of a pid file; `undefined` if there is none. Throws a JobError if it cannot be one. */
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

/** Finds out who holds a pid file with this text. Throws a JobError if it is not that of a pid file. */
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
  return new JobError(`${path} is not a pid file, so it is left alone: give "pidFile" a name of its own, or remove it`);
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
    why: `names process ${pid} of another pid namespace: another container of this host, or this one before it was restarted`,
  };
}

/** Judges by the pid alone: another program wrote the file, or start times are not exposed. */
function byPidAlone(pid: number): Holder {
  // An earlier process had our pid: the first process of a container gets the same one at each restart.
  if (pid === process.pid || !isThere(pid)) return { is: "gone" };
  return unclear(pid);
}

function unclear(pid: number): Holder {
  return {
    is: "unclear",
    why: `names process ${pid}, but does not prove that it is the same process: that pid may belong to another program by now`,
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

/** The socket on which the holder of a pid file listens, in the folder of the pid file. */
export interface SocketAddress {
  readonly name: string;
  /** Device and inode of the socket: only the holder's own file system leads to the listener. */
  readonly dev: number;
  readonly ino: number;
}

export interface HolderSocket {
  readonly address: SocketAddress;
  close(): void;
}

/** A name that no other program uses. It is short, because the path of a socket has at most 107 bytes. */
const NAME = /^ojob-[0-9a-f]{16}\.sock$/;

/**
 * Opens a socket beside a pid file. The kernel closes it with the process, and every container that shares
 * the folder can connect to it. `undefined` where the system or the file system has no such sockets.
 */
export async function openHolderSocket(pidFile: string): Promise<HolderSocket | undefined> {
  if (process.platform !== "linux") return undefined;
  const name = `ojob-${randomBytes(8).toString("hex")}.sock`;
  const path = join(dirname(pidFile), name);
  // Node removes the path that it has bound when the process exits. After the rename, the socket stays: one
  // without a listener proves that its holder is gone, and a missing one proves nothing.
  const bound = `${name}.new`;
  const server = createServer((connection) => connection.destroy());
  try {
    await inFolder(pidFile, (folder) => listen(server, `${folder}/${bound}`));
    const boundPath = join(dirname(pidFile), bound);
    chmodSync(boundPath, 0o600);
    renameSync(boundPath, path);
    const { dev, ino } = lstatSync(path);
    return { address: { name, dev, ino }, close: () => closeBoth(server, path) };
  } catch {
    server.close();
    for (const left of [name, bound]) tryToRemove(join(dirname(pidFile), left));
    return undefined;
  }
}

/** Whether the holder of a pid file listens on its socket. `unknown` if no answer is certain. */
export async function probeHolder(pidFile: string, address: SocketAddress): Promise<"there" | "gone" | "unknown"> {
  if (!isThatSocket(pidFile, address)) return "unknown";
  try {
    const code = await inFolder(pidFile, (folder) => connectTo(`${folder}/${address.name}`));
    // A suspended holder accepts no connection, and its queue may be full.
    if (code === undefined || code === "EAGAIN") return "there";
    // Check again: a path that led elsewhere in between proves nothing.
    return code === "ECONNREFUSED" && isThatSocket(pidFile, address) ? "gone" : "unknown";
  } catch {
    return "unknown";
  }
}

export function removeHolderSocket(pidFile: string, address: SocketAddress): void {
  if (isThatSocket(pidFile, address)) tryToRemove(join(dirname(pidFile), address.name));
}

/** A leftover socket is harmless. */
function tryToRemove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already, or the folder does not let us. The pid file decides, and its errors are reported.
  }
}

function addressIn(value: unknown): SocketAddress | undefined {
  const { name, dev, ino } = (value ?? {}) as Partial<SocketAddress>;
  if (typeof name !== "string" || !NAME.test(name) || typeof dev !== "number" || typeof ino !== "number")
    return undefined;
  return { name, dev, ino };
}

/** Whether the path leads to the holder's socket: a file system mounted twice has two devices. */
function isThatSocket(pidFile: string, { name, dev, ino }: SocketAddress): boolean {
  try {
    const stat = lstatSync(join(dirname(pidFile), basename(name)));
    return stat.isSocket() && stat.dev === dev && stat.ino === ino;
  } catch {
    return false;
  }
}

/** Calls `use` with a short path to the folder of a file, however long its own path is. */
async function inFolder<T>(file: string, use: (folder: string) => Promise<T>): Promise<T> {
  const fd = openSync(dirname(file), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // In a worker of node:cluster, the primary would listen without `exclusive`.
    server.listen({ path, exclusive: true }, () => {
      server.off("error", reject);
      // A failed accept, such as one without free file handles, must not end the process.
      server.on("error", () => {});
      server.unref();
      resolve();
    });
  });
}

/** Resolves to the error code, or to `undefined` once connected. */
function connectTo(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const connection = connect({ path });
    connection.once("connect", () => {
      connection.destroy();
      resolve(undefined);
    });
    connection.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function closeBoth(server: Server, path: string): void {
  tryToRemove(path);
  server.close();
}
