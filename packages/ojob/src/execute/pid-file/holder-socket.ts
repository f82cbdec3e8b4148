import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, constants, lstatSync, openSync, renameSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { basename, dirname, join } from "node:path";

/**
 * Names the socket that the holder of a pid file listens on. The socket lies in the folder of the pid file.
 */
export interface SocketAddress {
  readonly name: string;
  /**
   * Device and inode of the socket. Only the file system on which the holder made it leads to the listener.
   */
  readonly dev: number;
  readonly ino: number;
}

/** A socket that proves that its process is alive. */
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
  // Node removes the bound path at exit. The rename keeps the socket after a crash: a missing socket proves
  // nothing.
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
    // Look again: a path that led elsewhere in between proves nothing.
    return code === "ECONNREFUSED" && isThatSocket(pidFile, address) ? "gone" : "unknown";
  } catch {
    return "unknown";
  }
}

/** Removes the socket of a holder that is gone. */
export function removeHolderSocket(pidFile: string, address: SocketAddress): void {
  if (isThatSocket(pidFile, address)) tryToRemove(join(dirname(pidFile), address.name));
}

/** A socket that stays behind blocks nobody. */
function tryToRemove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already, or the folder does not let us. The pid file decides, and its errors are reported.
  }
}

/** Reads the address from the JSON of a pid file. `undefined` if there is no valid one. */
export function addressIn(value: unknown): SocketAddress | undefined {
  const { name, dev, ino } = (value ?? {}) as Partial<SocketAddress>;
  if (typeof name !== "string" || !NAME.test(name) || typeof dev !== "number" || typeof ino !== "number")
    return undefined;
  return { name, dev, ino };
}

/**
 * Whether the path leads to the socket of the holder. A network file system that is mounted twice has two
 * devices, and through the second one no connection reaches the listener.
 */
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
      // An accept that fails, as without free file handles, must not end the process.
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
