import { closeSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { FileNames } from "./file-names.js";
import { compress, makeFolder, openLogFile } from "./log-files.js";
import { Output } from "./output.js";

const DAY = 86_400_000;
/** How long to leave a folder alone after no file could be opened in it, in ms. */
const TRY_AGAIN = 60_000;

/** How log files are kept. */
export interface DailyFilesOptions {
  readonly folder: string;
  readonly names: FileNames;
  /** How many files are kept, including today's. */
  readonly most: number | undefined;
  /** How long files are kept after their day, in ms. */
  readonly keep: number | undefined;
  readonly compress: boolean;
  /** Receives what could not be written, once for each day. */
  readonly warn: (text: string) => void;
}

/**
 * Log files, one for each day in UTC. A failed write is reported and dropped: a full disk is no reason to end
 * a job.
 */
export class DailyFiles {
  readonly #options: DailyFilesOptions;
  readonly #output: Output;
  #fd: number | undefined;
  #day = "";
  #warned = false;
  #failedAt = Number.NEGATIVE_INFINITY;
  #chores: Promise<void> = Promise.resolve();

  constructor(options: DailyFilesOptions) {
    this.#options = options;
    this.#output = new Output((error) => this.#complain(error));
  }

  /**
   * Writes a line into the file of its day. `time` is in ms since 1970. False if no file is open.
   */
  write(line: string, time: number): boolean {
    const day = new Date(time).toISOString().slice(0, 10);
    // A late line goes into the open file, so that the log stays in order.
    if (day > this.#day || (this.#fd === undefined && time - this.#failedAt > TRY_AGAIN)) this.#open(day, time);
    if (this.#fd === undefined) return false;
    // A message with line breaks becomes one line of the file.
    this.#output.write(this.#fd, `${line.replaceAll("\n", "\\n")}\n`);
    return true;
  }

  /** Resolves once there is room for more. */
  room(): Promise<void> {
    return this.#output.room();
  }

  /** Resolves once everything is written, and older files are compressed and removed. */
  async flush(): Promise<void> {
    await this.#output.flush();
    await this.#chores;
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    this.#closeCurrent();
    await this.flush();
  }

  #open(day: string, time: number): void {
    const { folder, names } = this.#options;
    this.#closeCurrent();
    this.#day = day;
    this.#warned = false;
    try {
      makeFolder(folder);
      this.#fd = openLogFile(join(folder, names.of(day)));
    } catch (error) {
      this.#failedAt = time;
      this.#complain(error as Error);
      return;
    }
    this.#chores = this.#chores.then(() => this.#tidy(day, time)).catch((error: Error) => this.#complain(error));
  }

  #closeCurrent(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    const close = async (): Promise<void> => {
      await this.#output.flush();
      closeSync(fd);
    };
    this.#chores = this.#chores.then(close).catch((error: Error) => this.#complain(error));
  }

  #complain(error: Error): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.warn(
      `the log file cannot be written: ${error.message}. The jobs go on; lines of the log are missing.`,
    );
  }

  async #tidy(today: string, now: number): Promise<void> {
    const { folder, names, most = Number.POSITIVE_INFINITY, keep = Number.POSITIVE_INFINITY } = this.#options;
    // A link or a folder with such a name is not one of our files.
    const older = readdirSync(folder, { withFileTypes: true })
      .flatMap((entry) => {
        const { name } = entry;
        const day = entry.isFile() ? names.dayOf(name) : undefined;
        return day !== undefined && day < today ? [{ name, day }] : [];
      })
      .sort((a, b) => (a.day < b.day ? 1 : -1));
    for (const [index, { name, day }] of older.entries()) {
      const over = now - (Date.parse(day) + DAY) > keep;
      if (over || index + 1 >= most) rmSync(join(folder, name), { force: true });
      else if (names.of(day) === name) await this.#putAside(name, names.backupOf(day));
    }
  }

  async #putAside(name: string, backup: string): Promise<void> {
    const { folder } = this.#options;
    const [from, to] = [join(folder, name), join(folder, backup)];
    if (this.#options.compress) await compress(from, to);
    else if (!existsSync(to)) renameSync(from, to);
  }
}
