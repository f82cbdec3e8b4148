import { type Backend, type BackendContext, ChannelError, type Clock } from "@ojm/core/backend";
import { openDatabase } from "./database.js";
import { loadDriver } from "./driver.js";
import { closedError } from "./errors.js";
import { type Durability, readOptions, type SqliteOptions } from "./options.js";
import { patiently } from "./patience.js";
import { preparePlace } from "./place.js";
import { Deadlines } from "./store/deadlines.js";
import { Store } from "./store/store.js";

export { loadDriver };

interface Shared {
  readonly file: string;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly store: Promise<Store>;
  users: number;
}

const open = new Set<Shared>();

async function openStore(file: string, durability: Durability, clock: Clock): Promise<Store> {
  const db = await openDatabase(file, durability);
  try {
    return await patiently(() => new Store(file, db, durability, new Deadlines(clock)), file);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The one connection of this process to the file, whatever the spelling of its path. */
function share({ file, durability }: SqliteOptions, clock: Clock): Shared {
  // Load it before creating the file: an empty file is not a store.
  loadDriver();
  const path = preparePlace(file);
  for (const shared of open) {
    if (shared.file !== path || shared.clock !== clock) continue;
    if (shared.durability !== durability) {
      throw new ChannelError(
        "INVALID_CONFIG",
        `SQLite file ${path} is already open in this process with durability "${shared.durability}", not "${durability}": use one for all channels`,
      );
    }
    shared.users++;
    return shared;
  }
  const shared: Shared = { file: path, durability, clock, store: openStore(path, durability, clock), users: 1 };
  open.add(shared);
  return shared;
}

async function leave(shared: Shared): Promise<void> {
  shared.users--;
  if (shared.users > 0) return (await shared.store).idle();
  open.delete(shared);
  await (await shared.store).close();
}

/** One user of a shared store. */
function attach(shared: Shared, store: Store): Backend {
  const stops = new Set<() => void>();
  let closed = false;
  const refuse = (): Promise<never> => Promise.reject(closedError(shared.file));
  return {
    supports: store.supports,
    read: (keys, options) => (closed ? refuse() : store.read(keys, options?.signal)),
    scan: (request, options) => (closed ? refuse() : store.scan(request, options?.signal)),
    commit: (commit, options) => (closed ? refuse() : store.commit(commit, options?.signal)),
    async watch(range, sink) {
      if (closed) return refuse();
      const end = await store.watch(range, sink);
      const stop = (): void => {
        stops.delete(stop);
        end();
      };
      stops.add(stop);
      if (!closed) return stop;
      stop();
      return refuse();
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const stop of stops) stop();
      await leave(shared);
    },
  };
}

/**
 * Opens a SQLite file as a backend, or joins the connection of this process to it.
 *
 * @throws ChannelError `INVALID_CONFIG`, `READ_ONLY`, `DENIED`, `FULL`, `CORRUPT`, `UNAVAILABLE`,
 * `TIMEOUT`, `GONE`
 */
export async function openBackend(args: Readonly<Record<string, unknown>>, context: BackendContext): Promise<Backend> {
  const shared = share(readOptions(args), context.clock);
  try {
    return attach(shared, await shared.store);
  } catch (error) {
    // Let the next caller try again.
    open.delete(shared);
    throw error;
  }
}
