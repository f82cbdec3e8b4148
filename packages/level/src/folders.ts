import { existsSync } from "node:fs";
import { mkdir, readdir, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ChannelError, type Clock } from "@ojm/core/backend";
import { bootId } from "@ojm/core/internal";
import { CommitQueue } from "./commit-queue.js";
import { levelError } from "./errors.js";
import { StoreClock } from "./layout.js";
import { Store } from "./store.js";

/** An open folder, for one of its users. */
export interface Folder {
  readonly store: Store;
  readonly queue: CommitQueue;
}

interface Shared {
  readonly folder: Promise<Folder>;
  users: number;
}

/** The open folders of this process, by real path: LevelDB opens each folder only once. */
const open: Map<string, Shared> = new Map();

const closing: Map<string, Promise<void>> = new Map();

/**
 * Opens a folder, or shares it if this process has it open already. Creates it if it is missing.
 *
 * @param boot the id of the boot of the host
 * @returns the folder, and `release`; the last user's `release` closes the folder
 * @throws ChannelError `IN_USE` if another process has it open
 */
export async function openFolder(
  path: string,
  clock: Clock,
  boot: string = bootId(),
): Promise<Folder & { release(): Promise<void> }> {
  const real = await makeFolder(resolve(path));
  const shared = open.get(real) ?? { folder: start(real, clock, boot), users: 0 };
  open.set(real, shared);
  shared.users++;
  const release = async (): Promise<void> => {
    shared.users--;
    if (shared.users > 0) return;
    open.delete(real);
    const closed = end(shared.folder).finally(() => closing.delete(real));
    closing.set(real, closed);
    await closed;
  };
  try {
    return { ...(await shared.folder), release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function makeFolder(path: string): Promise<string> {
  try {
    // Only the owner may enter, because LevelDB's files follow the umask. An existing folder keeps its mode.
    await mkdir(path, { recursive: true, mode: 0o700 });
    return await realpath(path);
  } catch (error) {
    throw levelError(error, path);
  }
}

/**
 * The files of a database that has been opened. The first manifest does not count: a process that is killed
 * while it creates the database leaves it without `CURRENT`, and without data.
 */
const HAS_DATA = /^(\d+\.(log|ldb|sst)|MANIFEST-(?!0*1$)\d+)$/;

/**
 * Refuses a folder that has lost `CURRENT`, the file that names the manifest. LevelDB would begin an empty
 * database there, and locks and records would be gone without an error.
 *
 * @throws ChannelError `CORRUPT`
 */
async function refuseWithoutCurrent(path: string): Promise<void> {
  const data = (await readdir(path)).filter((name) => HAS_DATA.test(name));
  // Check for it last: another process may be creating the database.
  if (data.length === 0 || existsSync(join(path, "CURRENT"))) return;
  throw new ChannelError(
    "CORRUPT",
    `the LevelDB folder ${path} has data (${data.slice(0, 3).join(", ")}) but no file CURRENT. Restore CURRENT from a backup, or try to save what can be saved with Level.repair()`,
  );
}

async function start(path: string, clock: Clock, boot: string): Promise<Folder> {
  await closing.get(path)?.catch(() => undefined);
  await refuseWithoutCurrent(path).catch((error: unknown) => {
    throw levelError(error, path);
  });
  // Import it only when needed: it loads a native addon.
  const { Level } = await import("level");
  const database = new Level(path, { keyEncoding: "utf8", valueEncoding: "utf8" });
  const store = new Store(database, path, new StoreClock(clock, boot));
  return { store, queue: new CommitQueue(store, await store.open()) };
}

async function end(folder: Promise<Folder>): Promise<void> {
  const opened = await folder.catch(() => undefined);
  if (opened === undefined) return;
  await opened.queue.idle();
  await opened.store.close();
}
