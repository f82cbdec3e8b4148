import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { identityOf, type ProcessIdentity, processIdentity, processState, whyUntrusted } from "@ojm/core/internal";
import { JobError } from "../runtime/job-error.js";

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
export async function claimPidFile(settings: UniqueSettings, grace: number): Promise<() => void> {
  const { pidFile: path, killPrevious = false } = settings;
  // It listens for longer than the pid file exists: a socket without a listener proves its holder gone.
  const socket = await openHolderSocket(path);
  // The pid for other programs, then our identity and our socket.
  const text = `${process.pid}\n${JSON.stringify({ ...processIdentity(), socket: socket?.address })}\n`;
  try {
    const own = writeBeside(path, text);
    try {
      while (!claim(own, path)) await makeRoom(path, own, killPrevious, grace);
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
    writeFileSync(own, text, { flag: "wx", mode: 0o600 });
    return own;
  } catch (error) {
    // On a full disk, the file may exist without its contents.
    try {
      rmSync(own, { force: true });
    } catch {
      // The first error says why.
    }
    throw cannotBe("written", path, error);
  }
}

/** Moves our file into place if none is there. link(2) follows no link, and one process can make it. */
function claim(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cannotBe("written", path, error);
  }
}

async function makeRoom(path: string, own: string, killPrevious: boolean, grace: number): Promise<void> {
  const text = readPidFile(path);
  if (text === undefined) return;
  const holder = await holderIn(text, path);
  const isOwn = holder.is === "there" && holder.identity.pid === process.pid;
  if (held.has(path) || isOwn) throw new JobError(isRunning(process.pid, `${path}, held by this very process`));
  if (holder.is === "gone") return clearAway(path, text, own);
  if (holder.is === "elsewhere") {
    const hint = killPrevious ? " It cannot be ended from here: end it there, then start again." : "";
    throw new JobError(`${isRunning(`${holder.pid} of another container of this host`, path)}.${hint}`);
  }
  if (holder.is === "unclear") {
    throw new JobError(
      `the pid file ${path} ${holder.why}. It does not show whether this job file is running, so nothing was started or ended. ` +
        "If it does not run, remove the file. In a container, keep it in a folder that is empty at each start.",
    );
  }
  if (!killPrevious) throw new JobError(isRunning(holder.identity.pid, path));
  await endProcess(holder.identity, grace);
}

function isRunning(pid: string | number, where: string): string {
  return `this job file is running already: pid ${pid} (${where})`;
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
    const [first, second = ""] = text.split("\n");
    const socket = identityIn(second, Number(first))?.socket;
    if (socket !== undefined && isThatSocket(path, socket)) tryToRemove(join(dirname(path), socket.name));
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
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw cannotBe("cleared away", path, error);
  }
}

function cannotBe(done: string, path: string, error: unknown): JobError {
  return new JobError(`the pid file ${path} cannot be ${done}: ${(error as Error).message}`);
}

/**
 * Ends a process by SIGTERM, and after the grace period by SIGKILL. No signal goes to another process that
 * got the same pid meanwhile. After SIGKILL, the process has `killedWithin` ms to end.
 *
 * @throws JobError if it belongs to another user, or still exists after SIGKILL
 */
export async function endProcess(identity: ProcessIdentity, grace: number, killedWithin = 5_000): Promise<void> {
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

/** The most bytes that a pid file has. A longer file is not a pid file. */
const LONGEST = 4_096;

/** The known state of the process that a pid file names. */
type Holder =
  /** The process is gone, or there never was one: the file may be replaced. */
  | { readonly is: "gone" }
  /** The process certainly runs, and it is the one that wrote the file. */
  | { readonly is: "there"; readonly identity: ProcessIdentity }
  /** The process certainly runs, in another container of this host. No signal reaches it from here. */
  | { readonly is: "elsewhere"; readonly pid: number }
  /** Nothing is certain: the process must not be ended and the file must not be replaced. */
  | { readonly is: "unclear"; readonly why: string };

/** The text of a pid file; `undefined` if there is none. Throws a JobError if it cannot be one. */
function readPidFile(path: string): string | undefined {
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
    if (stats.isFile() && why !== undefined) {
      throw new JobError(
        `the pid file ${path} is not trusted: ${why}, so nothing was started or ended. If no process of yours made it, ` +
          'remove it, or give "pidFile" a path in a folder that only you may write to',
      );
    }
    const length = stats.isFile() ? readSync(fd, bytes, 0, bytes.length, 0) : bytes.length;
    if (length > LONGEST) throw noPidFile(path);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}

/** Finds out who holds a pid file with this text. Throws a JobError if it is not that of a pid file. */
async function holderIn(text: string, path: string): Promise<Holder> {
  const [first = "", second = ""] = text.split("\n");
  // A power cut can leave a file whose text never reached the disk.
  if (/^[\s\0]*$/.test(text)) return { is: "gone" };
  if (!/^\s*[1-9]\d{0,9}\s*$/.test(first)) throw noPidFile(path);
  const pid = Number(first);
  const identity = identityIn(second, pid);
  return identity === undefined ? byPidAlone(pid) : byIdentity(identity, path);
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
  // The namespace has no name, or the process is hidden from us: even an unused pid proves nothing.
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
  if (pid === process.pid || identityOf(pid).started === "gone") return { is: "gone" };
  return unclear(pid);
}

function unclear(pid: number): Holder {
  return {
    is: "unclear",
    why: `names process ${pid}, but does not prove that it is the same process: that pid may belong to another program by now`,
  };
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

interface HolderSocket {
  readonly address: SocketAddress;
  close(): void;
}

/** A name that no other program uses. It is short, because the path of a socket has at most 107 bytes. */
const NAME = /^ojob-[0-9a-f]{16}\.sock$/;

/**
 * Opens a socket beside a pid file. The kernel closes it with the process, and every container that shares
 * the folder can connect to it. `undefined` where the system or the file system has no such sockets.
 */
async function openHolderSocket(pidFile: string): Promise<HolderSocket | undefined> {
  if (process.platform !== "linux") return undefined;
  const name = `ojob-${randomBytes(8).toString("hex")}.sock`;
  const path = join(dirname(pidFile), name);
  // Node removes the path that it has bound when the process exits. After the rename, the socket stays: one
  // without a listener proves that its holder is gone, and a missing one proves nothing.
  const bound = `${name}.new`;
  const server = createServer((connection) => connection.destroy());
  const close = (): void => {
    tryToRemove(path);
    server.close();
  };
  try {
    await inFolder(pidFile, (folder) => listen(server, `${folder}/${bound}`));
    const boundPath = join(dirname(pidFile), bound);
    chmodSync(boundPath, 0o600);
    renameSync(boundPath, path);
    const { dev, ino } = lstatSync(path);
    return { address: { name, dev, ino }, close };
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

async function listen(server: Server, path: string): Promise<void> {
  // In a worker of node:cluster, the primary would listen without `exclusive`.
  server.listen({ path, exclusive: true });
  await once(server, "listening");
  // A failed accept, such as one without free file handles, must not end the process.
  server.on("error", () => {});
  server.unref();
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
