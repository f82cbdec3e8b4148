import {
  ChannelError,
  type KeyRange,
  type ScanPage,
  type ScanRequest,
  type StoredChange,
  type StoredEntry,
  type WatchSink,
} from "@ojm/core/backend";
import type { Level } from "level";
import { isNotOpen, levelError } from "./errors.js";
import { decodeRecord, type StoreClock, type StoredRecord } from "./layout.js";

/** The key of the store's own data. No channel can have it. */
const META = "\0ojm";

/** The version of the record format. Raise it when the format changes. */
const FORMAT = 1;

/**
 * The most keys that are read synchronously. LevelDB has most of them in memory, and a read through its
 * threads costs 20 µs.
 */
const READ_AT_ONCE = 16;

const AS_BYTES = { keyEncoding: "buffer" } as const;

/** One change of a batch; `text: null` deletes. */
export type BatchWrite = { readonly key: string; readonly text: string | null };

/** The entries of one folder and their watches. */
export class Store {
  readonly path: string;
  readonly clock: StoreClock;
  readonly #db: Level;
  readonly #watches: Set<{ readonly range: KeyRange; readonly sink: WatchSink }> = new Set();
  /** Entries that reads found expired, with their versions. */
  readonly expired: Map<string, string> = new Map();
  #reopening: Promise<void> | undefined;
  #broken = false;
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

  /** Reads the record under a key synchronously, expired or not. */
  record(key: string): StoredRecord | undefined {
    const text = this.#getSync(key);
    return text === undefined ? undefined : decodeRecord(key, text);
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
  visible(key: string, { version, value, deadline }: StoredRecord): StoredEntry | undefined {
    if (deadline === undefined) return { key, value, version };
    const expiresIn = this.clock.left(deadline);
    if (expiresIn > 0) return { key, value, version, expiresIn };
    // Do not delete it here: somebody may write the entry between this read and the delete.
    this.expired.set(key, version);
    return undefined;
  }

  /**
   * Writes all or nothing, and resolves once it is on the disk. With `reserved`, also stores up to which
   * version versions may be given out.
   */
  async write(writes: readonly BatchWrite[], reserved: bigint | undefined): Promise<void> {
    const operations = writes.map(({ key, text }) =>
      text === null ? { type: "del" as const, key } : { type: "put" as const, key, value: text },
    );
    if (reserved !== undefined) {
      const value = JSON.stringify({ format: FORMAT, reserved: String(reserved) });
      operations.push({ type: "put", key: META, value });
    }
    try {
      await this.#db.batch(operations, { sync: true });
    } catch (error) {
      this.#broken = true;
      throw levelError(error, this.path, true);
    }
  }

  watch(range: KeyRange, sink: WatchSink): () => void {
    const watch = { range, sink };
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }

  report(change: StoredChange): void {
    for (const { range, sink } of this.#watches) {
      if (change.key >= range.from && change.key < range.to) sink.change(change);
    }
  }

  /**
   * Reopens the database after a failed write. That write may have left half a record at the end of the log.
   * LevelDB would drop all that is appended after it at the next start: acknowledged writes would be lost.
   */
  async mend(): Promise<void> {
    if (!this.#broken) return;
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    await this.#reopening;
  }

  async #reopen(): Promise<void> {
    try {
      await this.#db.close();
      await this.#db.open();
      this.#opened++;
      this.#broken = false;
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
      // The database was reopened during the read, as another call's write had failed: read again.
      await this.#reopening;
    }
  }
}

function lastVersion(meta: string, path: string): bigint {
  const [, format, reserved] = /^\{"format":(\d+),"reserved":"(\d+)"\}$/.exec(meta) ?? [];
  if (reserved !== undefined && Number(format) === FORMAT) return BigInt(reserved);
  throw new ChannelError("CORRUPT", `the LevelDB folder ${path} was written by another version of ojm: ${meta}`);
}
