import { statSync } from "node:fs";
import { ChannelError } from "@ojm/core/backend";
import type { Database, Statement } from "better-sqlite3";
import type { Deadlines, Instant } from "./deadlines.js";
import type { WriteTransaction } from "./transaction.js";

/** The interval of this work in a process that writes, in ms. */
const EVERY = 1_000;

/** The most expired entries that a transaction deletes: as many as a commit writes, so none pile up. */
const SWEEP = 1_000;

const EXPIRED = `
  DELETE FROM entries WHERE key IN (
    SELECT key FROM entries WHERE deadline IS NOT NULL AND boot = :boot AND deadline <= :mono LIMIT ${SWEEP})`;

/** The interval of the search for hidden, expired entries of other boots, in ms. It reads all of them. */
const OTHER_BOOTS = 60_000;

/**
 * @internal Searches three ranges of the index, the last one for entries of systems without boot ids. With
 * `boot IS NOT :boot`, SQLite would also read the deadlines of this boot, and a million ticks may have one.
 * Exported for its test.
 */
export const EXPIRED_IN_OTHER_BOOTS: string = `
  DELETE FROM entries WHERE key IN (
    SELECT key FROM (
      SELECT key FROM entries WHERE deadline IS NOT NULL AND boot < :boot AND expires <= :wall
      UNION ALL
      SELECT key FROM entries WHERE deadline IS NOT NULL AND boot > :boot AND expires <= :wall
      UNION ALL
      SELECT key FROM entries WHERE deadline IS NOT NULL AND boot IS NULL AND expires <= :wall
    ) LIMIT ${SWEEP})`;

/** The same for a system without boot ids: all deadlines are by the wall clock. */
const EXPIRED_IN_ANY_BOOT = `
  DELETE FROM entries WHERE key IN (
    SELECT key FROM entries WHERE deadline IS NOT NULL AND :boot IS NULL AND expires <= :wall LIMIT ${SWEEP})`;

/**
 * The files of a database that is open. A process that finds new ones in their place, opened later than ours,
 * shares neither our locks nor our commits: `-shm` has SQLite's locks between processes, `-wal` the commits.
 */
function filesOf(file: string): string[] {
  return [file, `${file}-wal`, `${file}-shm`];
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Periodic work, done along with writes: a process that only reads may not write. */
export class Housekeeping {
  readonly #file: string;
  readonly #deadlines: Deadlines;
  readonly #inodes: ReadonlyMap<string, number | undefined>;
  readonly #expired: Statement<[{ boot: string | null; mono: number }]>;
  readonly #expiredInOtherBoots: Statement<[{ boot: string | null; wall: number }]>;
  #lookedAtFiles = Number.NEGATIVE_INFINITY;
  #sweepAt = 0;
  #sweepOthersAt = 0;

  constructor(file: string, db: Database, deadlines: Deadlines) {
    this.#file = file;
    this.#deadlines = deadlines;
    this.#inodes = new Map(filesOf(file).map((path) => [path, inodeOf(path)]));
    this.#expired = db.prepare(EXPIRED);
    this.#expiredInOtherBoots = db.prepare(deadlines.boot === null ? EXPIRED_IN_ANY_BOOT : EXPIRED_IN_OTHER_BOOTS);
  }

  /**
   * Refuses to work after one of the open files was deleted or replaced. SQLite would write into the deleted
   * file without an error. Two processes would then hold the same lock, one in the old file and one in the
   * new.
   *
   * @throws ChannelError `GONE`
   */
  checkFiles(): void {
    const now = performance.now();
    if (now - this.#lookedAtFiles < EVERY) return;
    for (const [path, inode] of this.#inodes) {
      if (inode !== undefined && inodeOf(path) === inode) continue;
      const what = path === this.#file ? `SQLite file ${path}` : `${path}, a file of the SQLite database,`;
      throw new ChannelError("GONE", `${what} was deleted or replaced while it was open: restart this process`);
    }
    this.#lookedAtFiles = now;
  }

  /** Deletes expired entries. Runs inside a write transaction, so that no fresh write is lost. */
  sweep(transaction: WriteTransaction): void {
    const now = performance.now();
    if (now < this.#sweepAt) return;
    const boot = this.#deadlines.boot;
    const { mono, wall }: Instant = transaction.at;
    const here = this.#expired.run({ boot, mono }).changes;
    // If there are more, the next transaction continues.
    if (here < SWEEP) this.#sweepAt = now + EVERY;
    if (now < this.#sweepOthersAt) return;
    const elsewhere = this.#expiredInOtherBoots.run({ boot, wall }).changes;
    if (elsewhere < SWEEP) this.#sweepOthersAt = now + OTHER_BOOTS;
    else this.#sweepAt = 0;
  }
}
