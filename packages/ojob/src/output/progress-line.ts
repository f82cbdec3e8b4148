import { visible } from "@ojm/core/backend";
import type { Output } from "./output.js";

/** How far a job is. */
export interface JobProgress {
  readonly done: number;
  readonly total?: number | undefined;
  /** What is counted, or what the job does now. */
  readonly text?: string | undefined;
}

/** The characters of a bar. */
const BAR = 20;

/** The line is drawn so often at most, in ms. */
const REST = 100;

/** Moves to the begin of the line, and empties it. */
const EMPTY = "\r\u001b[K";

/** The progress of jobs, in the last line of a terminal. It is drawn anew in its place. */
export class ProgressLine {
  readonly #fd: number;
  readonly #output: Pick<Output, "write">;
  readonly #width: () => number;
  readonly #jobs = new Map<string, string>();
  #drawn = false;
  /** Whether a job went on since the line was drawn. */
  #isOld = false;
  /** Whether the terminal is in the middle of a line that somebody else writes. */
  #inLine = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `fd` is the terminal. */
  constructor(fd: number, output: Pick<Output, "write">, width: () => number = columns) {
    this.#fd = fd;
    this.#output = output;
    this.#width = width;
  }

  /** How far a job is; `undefined` takes it away. */
  set(job: string, progress: JobProgress | undefined): void {
    const before = this.#jobs.has(job);
    if (progress !== undefined) this.#jobs.set(job, `${visible(job)} ${inWords(progress)}`);
    else this.#jobs.delete(job);
    if (progress === undefined && before) this.#draw();
    else if (progress !== undefined) this.#drawSoon();
  }

  /** Takes the line away while `write` writes a text, and draws it again below. */
  around(text: string, write: () => void): void {
    if (text === "") return;
    this.#clear();
    write();
    this.#inLine = !text.endsWith("\n");
    this.#draw();
  }

  /** Takes the line away. */
  close(): void {
    this.#jobs.clear();
    this.#draw();
  }

  #drawSoon(): void {
    this.#isOld = true;
    if (this.#timer !== undefined) return;
    this.#draw();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isOld) this.#draw();
    }, REST).unref();
  }

  #draw(): void {
    this.#clear();
    this.#isOld = false;
    if (this.#jobs.size === 0 || this.#inLine) return;
    const text = [...this.#jobs.values()].join(" | ");
    const most = Math.max(1, this.#width() - 1);
    // A line that wraps could not be emptied.
    this.#output.write(this.#fd, [...text].slice(0, most).join(""));
    this.#drawn = true;
  }

  #clear(): void {
    if (this.#drawn) this.#output.write(this.#fd, EMPTY);
    this.#drawn = false;
  }
}

function columns(): number {
  return process.stderr.columns || process.stdout.columns || 80;
}

/** `[##########----------] 50% 250/500 rows`; without a total, `250 rows`. */
function inWords({ done, total, text }: JobProgress): string {
  const what = text === undefined || text === "" ? "" : ` ${visible(text)}`;
  if (total === undefined || !(total > 0)) return `${done}${what}`;
  const part = Math.min(1, Math.max(0, done / total));
  const full = Math.round(part * BAR);
  const bar = "#".repeat(full) + "-".repeat(BAR - full);
  return `[${bar}] ${Math.floor(part * 100)}% ${done}/${total}${what}`;
}
