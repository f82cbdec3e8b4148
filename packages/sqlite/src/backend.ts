import {
  type Backend,
  type BackendContext,
  type CallOptions,
  ChannelError,
  type Clock,
  type Commit,
  type CommitOutcome,
  type KeyRange,
  type ScanPage,
  type ScanRequest,
  type StoredEntry,
  type Supports,
  type WatchSink,
} from "@ojm/core/backend";
import { openDatabase } from "./database.js";
import { loadDriver } from "./driver.js";
import { closedError } from "./errors.js";
import { type Durability, readOptions, type SqliteOptions } from "./options.js";
import { patiently } from "./patience.js";
import { preparePlace } from "./place.js";
import { Deadlines } from "./store/deadlines.js";
import { Store } from "./store/store.js";

export { loadDriver };

/** A file that this process has open. */
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

/** One user of a shared store: the result of `open`. */
class SqliteBackend implements Backend {
  readonly supports: Supports;
  readonly #shared: Shared;
  readonly #store: Store;
  readonly #stops = new Set<() => void>();
  #closed = false;

  constructor(shared: Shared, store: Store) {
    this.supports = store.supports;
    this.#shared = shared;
    this.#store = store;
  }

  read(keys: readonly string[], options?: CallOptions): Promise<(StoredEntry | undefined)[]> {
    return this.#closed ? this.#refuse() : this.#store.read(keys, options?.signal);
  }

  scan(request: ScanRequest, options?: CallOptions): Promise<ScanPage> {
    return this.#closed ? this.#refuse() : this.#store.scan(request, options?.signal);
  }

  commit(commit: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return this.#closed ? this.#refuse() : this.#store.commit(commit, options?.signal);
  }

  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    if (this.#closed) return this.#refuse();
    const end = await this.#store.watch(range, sink);
    const stop = (): void => {
      this.#stops.delete(stop);
      end();
    };
    this.#stops.add(stop);
    if (!this.#closed) return stop;
    stop();
    return this.#refuse();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const stop of this.#stops) stop();
    await leave(this.#shared);
  }

  #refuse(): Promise<never> {
    return Promise.reject(closedError(this.#shared.file));
  }
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
    return new SqliteBackend(shared, await shared.store);
  } catch (error) {
    // Let the next caller try again.
    open.delete(shared);
    throw error;
  }
}
