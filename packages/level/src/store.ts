import {
  ChannelError,
  type KeyRange,
  refuseNewerLayout,
  type ScanPage,
  type ScanRequest,
  type StoredChange,
  type StoredEntry,
  type WatchSink,
} from "@ojm/core/backend";
import type { Level } from "level";
import { isNotOpen, levelError } from "./errors.js";
import { decodeRecord, encodeRecord, type StoreClock, type StoredRecord } from "./layout.js";
import { Remembered, type Stamp } from "./remembered.js";

/** The key of the store's own data. No channel can have it. */
const META = "\0ojm";

/**
 * The number of the layout: the keys and records below. Raise it when an older version would misread them. No
 * older process is there while the layout changes, because a process has its folder alone.
 */
const LAYOUT = 1;

/** The most keys that are read synchronously, mostly from memory: LevelDB's threads cost 20 µs. */
const READ_AT_ONCE = 16;

const AS_BYTES = { keyEncoding: "buffer" } as const;

/** Without a sync, a power cut loses acknowledged writes. */
const SYNC = { sync: true } as const;

/** The state that a batch leaves: the record of each changed key, `undefined` if the batch deletes it. */
export type Changes = ReadonlyMap<string, StoredRecord | undefined>;

/** The entries of one folder and their watches. */
export class Store {
  readonly path: string;
  readonly clock: StoreClock;
  readonly #db: Level;
  readonly #watches: Set<{ readonly range: KeyRange; readonly sink: WatchSink }> = new Set();
  /** Entries that reads found expired, with their versions. */
  readonly expired: Map<string, string> = new Map();
  readonly #remembered: Remembered = new Remembered();
  #reopening: Promise<void> | undefined;
  /** Whether a write failed: {@link mend} comes before the next one. */
  broken = false;
  /** How often the database was reopened. */
  #opened = 0;

  constructor(db: Level, path: string, clock: StoreClock) {
    this.#db = db;
    this.path = path;
    this.clock = clock;
  }

  /** Opens the database. Resolves to a version that is not below any that the store has given out. */
  async open(): Promise<bigint> {
    try {
      // Open explicitly: if the first read opens the database, its error hides the cause.
      await this.#db.open();
      const meta = await this.#db.get(META);
      if (meta === undefined) return 0n;
      return lastVersion(meta, this.path);
    } catch (error) {
      await this.#db.close().catch(() => undefined);
      throw levelError(error, this.path);
    }
  }

  async close(): Promise<void> {
    this.#watches.clear();
    await this.#reopening?.catch(() => undefined);
    await this.#db.close();
  }

  /** Reads the record under a key synchronously, expired or not. Call it only while no write is under way. */
  record(key: string): StoredRecord | undefined {
    const text = this.#getSync(key);
    const record = text === undefined ? undefined : decodeRecord(key, text);
    this.#remembered.set(key, record);
    return record;
  }

  /** The version and deadline of the record under a key, like {@link record}, mostly without a read. */
  stamp(key: string): Stamp | undefined {
    const known = this.#remembered.get(key);
    return known === undefined ? this.record(key) : (known ?? undefined);
  }

  /**
   * Reads a text by its bytes. Do not call `getSync(key)` with a text: classic-level 3.0.0 encodes it into a
   * shared buffer, and does not notice when the buffer cuts the key at a character of several bytes. It then
   * reads a shorter key, and a held lock looks free.
   *
   * @see KEY-008 of the conformance suite, seed 2102832098
   */
  #getSync(key: string): string | undefined {
    return this.#db.getSync(Buffer.from(key, "utf8"), AS_BYTES);
  }

  async read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return await this.#reading(async () => {
      const texts =
        keys.length <= READ_AT_ONCE ? keys.map((key) => this.#getSync(key)) : await this.#db.getMany([...keys]);
      return keys.map((key, i) => {
        const text = texts[i];
        return text === undefined ? undefined : this.visible(key, decodeRecord(key, text));
      });
    });
  }

  async scan({ from, to, reverse, limit, values }: ScanRequest): Promise<ScanPage> {
    return await this.#reading(async () => {
      const iterator = this.#db.iterator({ gte: from, lt: to, reverse });
      const entries: StoredEntry[] = [];
      try {
        for (;;) {
          const page = await iterator.nextv(limit + 1 - entries.length);
          if (page.length === 0) return { entries, more: false };
          for (const [key, text] of page) {
            const entry = this.visible(key, decodeRecord(key, text));
            if (entry === undefined) continue;
            if (entries.length === limit) return { entries, more: true };
            entries.push(values ? entry : { ...entry, value: "" });
          }
        }
      } finally {
        await iterator.close();
      }
    });
  }

  /** The entry of a record; `undefined` if it has expired. */
  visible(key: string, record: StoredRecord): StoredEntry | undefined {
    const { value, version, deadline } = record;
    if (deadline === undefined) return { key, value, version };
    const expiresIn = this.left(key, record);
    return expiresIn > 0 ? { key, value, version, expiresIn } : undefined;
  }

  /** The time that a record has left, in ms; 0 or less once it has expired. */
  left(key: string, { version, deadline }: Stamp): number {
    if (deadline === undefined) return Number.POSITIVE_INFINITY;
    const expiresIn = this.clock.left(deadline);
    // Do not delete it here: a commit may write the entry between this read and the delete.
    if (expiresIn <= 0) this.expired.set(key, version);
    return expiresIn;
  }

  /** Writes all or nothing to the disk. `reserved`: the highest version that may be given out. */
  async write(changes: Changes, reserved: bigint | undefined): Promise<void> {
    try {
      // A chained batch costs half of an array of operations, whose properties the addon reads one by one.
      const batch = this.#db.batch();
      for (const [key, record] of changes) {
        if (record === undefined) batch.del(key);
        else batch.put(key, encodeRecord(record));
      }
      if (reserved !== undefined) batch.put(META, JSON.stringify({ format: LAYOUT, reserved: String(reserved) }));
      await batch.write(SYNC);
    } catch (error) {
      this.broken = true;
      this.#remembered.clear();
      throw levelError(error, this.path, true);
    }
    for (const [key, record] of changes) this.#remembered.set(key, record);
  }

  watch(range: KeyRange, sink: WatchSink): () => void {
    const watch = { range, sink };
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }

  get watched(): boolean {
    return this.#watches.size > 0;
  }

  report(change: StoredChange): void {
    for (const { range, sink } of this.#watches) {
      if (change.key >= range.from && change.key < range.to) sink.change(change);
    }
  }

  /**
   * Reopens the database after a failed write, which may have left half a record at the end of the log.
   * LevelDB would drop all that follows it at the next start: acknowledged writes would be lost.
   */
  async mend(): Promise<void> {
    if (!this.broken) return;
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    await this.#reopening;
  }

  async #reopen(): Promise<void> {
    try {
      await this.#db.close();
      await this.#db.open({ createIfMissing: false });
      this.#opened++;
      this.broken = false;
    } catch (error) {
      throw levelError(error, this.path);
    }
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#db.status !== "open") await this.mend();
      const opened = this.#opened;
      try {
        return await read();
      } catch (error) {
        const interrupted = isNotOpen(error) && (this.#reopening !== undefined || this.#opened !== opened);
        if (!interrupted) throw levelError(error, this.path);
      }
      // The database was reopened during the read, because another call's write had failed: read again.
      await this.#reopening;
    }
  }
}

function lastVersion(meta: string, path: string): bigint {
  const store = `the LevelDB folder ${path}`;
  const [, layout] = /^\{"format":(\d+)\b/.exec(meta) ?? [];
  if (layout !== undefined) refuseNewerLayout(Number(layout), { store, package: "@ojm/level", known: LAYOUT });
  const [, reserved] = /^\{"format":\d+,"reserved":"(\d+)"\}$/.exec(meta) ?? [];
  if (reserved !== undefined) return BigInt(reserved);
  throw new ChannelError("CORRUPT", `${store} has an entry about itself that ojm did not write: ${meta}`);
}
