import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Output } from "./output.js";

const DAY = 86_400_000;
/** How long to wait before trying a folder again after opening a file in it failed, in ms. */
const TRY_AGAIN = 60_000;

export interface DailyFilesOptions {
  readonly folder: string;
  readonly names: FileNames;
  /** How many files are retained, including today's. */
  readonly most: number | undefined;
  /** How long files are retained after their day, in ms. */
  readonly keep: number | undefined;
  readonly compress: boolean;
  /** Receives write errors, once for each day. */
  readonly warn: (text: string) => void;
}

/** Log files, one a day in UTC. A failed write is reported and dropped: it must not end a job. */
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

  /** Writes a line into the file of its day. `time`: ms since 1970. False if no file is open. */
  write(line: string, time: number): boolean {
    const day = new Date(time).toISOString().slice(0, 10);
    // A late line goes into the open file, so that the log stays in order.
    if (day > this.#day || (this.#fd === undefined && time - this.#failedAt > TRY_AGAIN)) this.#open(day, time);
    if (this.#fd === undefined) return false;
    // A message with line breaks becomes one line of the file.
    this.#output.write(this.#fd, `${line.replaceAll("\n", "\\n")}\n`);
    return true;
  }

  room(): Promise<void> {
    return this.#output.room();
  }

  async flush(): Promise<void> {
    await this.#output.flush();
    await this.#chores;
  }

  /** Writes what is left and closes the file. */
  close(): Promise<void> {
    this.#closeCurrent();
    return this.flush();
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
      `the log file cannot be written: ${error.message}. The jobs continue; lines of the log are missing.`,
    );
  }

  async #tidy(today: string, now: number): Promise<void> {
    const { folder, names, most = Number.POSITIVE_INFINITY, keep = Number.POSITIVE_INFINITY } = this.#options;
    // A link or a folder with such a name is not one of our files.
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    const days = files.map(({ name }) => ({ name, day: names.dayOf(name) ?? today }));
    const older = days.filter(({ day }) => day < today).sort((a, b) => (a.day < b.day ? 1 : -1));
    for (const [index, { name, day }] of older.entries()) {
      const [path, backup] = [join(folder, name), join(folder, names.backupOf(day))];
      const isAside = names.of(day) !== name;
      if (index + 1 >= most || now - (Date.parse(day) + DAY) > keep) rmSync(path, { force: true });
      else if (!isAside && this.#options.compress) await compress(path, backup);
      else if (!isAside && !existsSync(backup)) renameSync(path, backup);
    }
  }
}

const DAY_TEMPLATE = "{{timedate}}";
const DEFAULT = `log-${DAY_TEMPLATE}.log`;

/** The names of log files: a template in which `{{timedate}}` is the day. */
export class FileNames {
  readonly #template: string;
  readonly #backup: string;

  /** Without a template for backups, compressed files end in `.gz`. */
  constructor(template: string = DEFAULT, backup?: string, compress = true) {
    this.#template = template;
    this.#backup = backup ?? (compress ? `${template}.gz` : template);
  }

  of(day: string): string {
    return this.#template.replaceAll(DAY_TEMPLATE, day);
  }

  backupOf(day: string): string {
    return this.#backup.replaceAll(DAY_TEMPLATE, day);
  }

  /** The day of a log file, by its name. `undefined` if it is not the name of a log file. */
  dayOf(name: string): string | undefined {
    const day = /\d{4}-\d\d-\d\d/.exec(name)?.[0];
    if (day === undefined) return undefined;
    return this.of(day) === name || this.backupOf(day) === name ? day : undefined;
  }
}

/** Whether a template makes a different name for each day. */
export function namesDays(template: string): boolean {
  return template.includes(DAY_TEMPLATE);
}

/** The mode of log files: their owner alone, and the group of a folder with the set-group-id bit. */
const PRIVATE = 0o600;
const FOR_GROUP = 0o640;
const SET_GROUP_ID = 0o2000;

const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
/** With this flag, opening a pipe without a reader fails. Without it, the call would wait for ever. */
const NONBLOCK = constants.O_NONBLOCK ?? 0;

/** Opens a log file for appending. */
function openLogFile(path: string): number {
  const mode = (statSync(dirname(path)).mode & SET_GROUP_ID) === 0 ? PRIVATE : FOR_GROUP;
  return open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, mode);
}

/** Follows no link, which could lead our lines into another file. */
function open(path: string, flags: number, mode: number = PRIVATE): number {
  try {
    return openSync(path, flags | NOFOLLOW | NONBLOCK, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ELOOP") throw error;
    throw new Error(`${path} is a symbolic link, which is not followed: remove it`);
  }
}

/**
 * Compresses a file, and appends the result to the output of another process, if there is one: two compressed
 * texts in a row are one compressed text. The new file has the mode of the old one.
 */
async function compress(from: string, to: string): Promise<void> {
  // The result gets its final name once it is complete, so that a process that dies here leaves the original.
  // The temporary name is random, so no other user can place a link there beforehand.
  const half = `${to}.${randomUUID()}.tmp`;
  try {
    const fd = openSync(half, "wx", PRIVATE);
    try {
      fchmodSync(fd, lstatSync(from).mode & 0o777);
    } finally {
      closeSync(fd);
    }
    if (existsSync(to)) await add(to, half, false);
    await add(from, half, true);
    renameSync(half, to);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
  rmSync(from, { force: true });
}

async function add(from: string, half: string, compressed: boolean): Promise<void> {
  // Import lazily: few starts find a log of an earlier day.
  const [{ pipeline }, { createGzip }] = await Promise.all([import("node:stream/promises"), import("node:zlib")]);
  const read = createReadStream("", { fd: open(from, constants.O_RDONLY) });
  const write = createWriteStream(half, { flags: "a" });
  await (compressed ? pipeline(read, createGzip(), write) : pipeline(read, write));
}

/** Creates a folder and its parents. Node's `recursive` never returns in places such as /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
