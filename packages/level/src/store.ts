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
import { decodeRecord, type StoreClock, type StoredRecord } from "./record.js";

/** A key that no channel can have, for what the store must know about itself. */
const META = "\0ojm";

/** The layout of the records. To be raised when it changes. */
const FORMAT = 1;

/** Up to so many keys are read at once: LevelDB has most of them in memory, and a way through its threads costs 20 µs. */
const READ_AT_ONCE = 16;

const AS_BYTES = { keyEncoding: "buffer" } as const;

/** One change of a batch. */
export type BatchWrite = { readonly key: string; readonly text: string | null };

/** The entries of one folder, and who watches them. */
export class Store {
  readonly path: string;
  readonly clock: StoreClock;
  readonly #db: Level;
  readonly #watches: Set<{ readonly range: KeyRange; readonly sink: WatchSink }> = new Set();
  /** Entries that were found expired, by the version at which they were. */
  readonly expired: Map<string, string> = new Map();
  #reopening: Promise<void> | undefined;
  #broken = false;
  /** How often it was opened anew. */
  #opened = 0;

  constructor(db: Level, path: string, clock: StoreClock) {
    this.#db = db;
    this.path = path;
    this.clock = clock;
  }

  /** Opens the database and returns a version that is not below any that it has given out. */
  async open(): Promise<bigint> {
    try {
      // Called by hand: when it opens by itself, the error of the first read hides why it could not.
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

  /** The record under a key, expired or not, at once. */
  record(key: string): StoredRecord | undefined {
    const text = this.#getSync(key);
    return text === undefined ? undefined : decodeRecord(key, text);
  }

  /**
   * Not `getSync(key)`: classic-level 3.0.0 writes a key that is a text into a buffer that it uses again, and does not see that the key is cut
   * off where a character of several bytes does not fit at its end. It then reads what a shorter key holds, and a lock that is held looks free.
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

  /** The entry of a record, `undefined` once it is expired. */
  visible(key: string, { version, value, deadline }: StoredRecord): StoredEntry | undefined {
    if (deadline === undefined) return { key, value, version };
    const expiresIn = this.clock.left(deadline);
    if (expiresIn > 0) return { key, value, version, expiresIn };
    // Not deleted here: between this read and the delete, somebody may write it afresh.
    this.expired.set(key, version);
    return undefined;
  }

  /**
   * Writes all or nothing, and with it, if it is given, the version up to which versions may be given out from now on. Resolves
   * once it is on the disk.
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

  tell(change: StoredChange): void {
    for (const { range, sink } of this.#watches) {
      if (change.key >= range.from && change.key < range.to) sink.change(change);
    }
  }

  /**
   * Opens the database anew after a write that failed. It may have left half a record at the end of the log, and what is appended
   * to that is dropped along with it when the log is next read: writes that were acknowledged would be lost.
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
      // It was opened anew beneath the read, as somebody else's write had failed.
      await this.#reopening;
    }
  }
}

function lastVersion(meta: string, path: string): bigint {
  const [, format, reserved] = /^\{"format":(\d+),"reserved":"(\d+)"\}$/.exec(meta) ?? [];
  if (reserved !== undefined && Number(format) === FORMAT) return BigInt(reserved);
  throw new ChannelError("CORRUPT", `the LevelDB folder ${path} was written by another version of ojm: ${meta}`);
}
