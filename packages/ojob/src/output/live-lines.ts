import { writeSync } from "node:fs";
import { visible } from "@ojm/core/internal";
import type { Output } from "./output.js";

export interface JobProgress {
  readonly done: number;
  readonly total?: number | undefined;
  /** The counted unit, or the current work of the job. */
  readonly text?: string | undefined;
}

interface Live {
  readonly name: string;
  readonly began: number;
  /** Whether it gets a line even without progress, once it has run for a second. */
  isShown: boolean;
  progress?: JobProgress;
}

const BAR = 20;

/** The shortest interval between two redraws, in ms. */
const REDRAW_INTERVAL = 100;

/** A job without progress gets a line after this time, which is redrawn at this interval, in ms. */
const SECOND = 1_000;

const MAX_LINES = 10;

/** Shows the running jobs in the last lines of a terminal, below their output, and redraws them in place. */
export class LiveLines {
  readonly #fd: number;
  readonly #output: Pick<Output, "write">;
  readonly #size: () => { readonly columns: number; readonly rows: number };
  readonly #now: () => number;
  readonly #jobs = new Map<object, Live>();
  #drawn = 0;
  /** Whether a job made progress since the lines were drawn. */
  #isOld = false;
  /** Whether other output has left the terminal in the middle of a line. */
  #inLine = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #second: ReturnType<typeof setInterval> | undefined;

  /** `fd` is the terminal. */
  constructor(
    fd: number,
    output: Pick<Output, "write">,
    size: () => { readonly columns: number; readonly rows: number } = terminalSize,
    now: () => number = () => performance.now(),
  ) {
    this.#fd = fd;
    this.#output = output;
    this.#size = size;
    this.#now = now;
  }

  begin(job: object, name: string): void {
    this.#liveOf(job, name).isShown = true;
  }

  set(job: object, name: string, progress: JobProgress): void {
    this.#liveOf(job, name).progress = progress;
    this.#drawSoon();
  }

  end(job: object): void {
    if (!this.#jobs.delete(job)) return;
    if (this.#jobs.size === 0) clearInterval(this.#second);
    if (this.#drawn > 0) this.#draw();
  }

  /** Clears the lines while `write` writes a text, and redraws them below. */
  around(text: string, write: () => void): void {
    if (text === "") return;
    this.#clear();
    write();
    this.#inLine = !text.endsWith("\n");
    this.#draw();
  }

  close(): void {
    this.#forget();
    this.#draw();
  }

  /** Clears the lines synchronously, because the process is ending. */
  leave(): void {
    this.#forget();
    try {
      if (this.#drawn > 0) writeSync(this.#fd, clearing(this.#drawn));
    } catch {
      // The terminal is gone.
    }
    this.#drawn = 0;
  }

  tick(): void {
    this.#draw();
  }

  #liveOf(job: object, name: string): Live {
    const known = this.#jobs.get(job);
    if (known !== undefined) return known;
    const live: Live = { name, began: this.#now(), isShown: false };
    this.#jobs.set(job, live);
    if (this.#jobs.size === 1) this.#second = setInterval(() => this.tick(), SECOND).unref();
    return live;
  }

  #forget(): void {
    this.#jobs.clear();
    clearInterval(this.#second);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #drawSoon(): void {
    this.#isOld = true;
    if (this.#timer !== undefined) return;
    this.#draw();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isOld) this.#draw();
    }, REDRAW_INTERVAL).unref();
  }

  #draw(): void {
    this.#clear();
    this.#isOld = false;
    if (this.#inLine) return;
    const lines = this.#lines();
    if (lines.length === 0) return;
    this.#output.write(this.#fd, lines.join("\n"));
    this.#drawn = lines.length;
  }

  #lines(): string[] {
    const { columns, rows } = this.#size();
    const now = this.#now();
    const wanted = [...this.#jobs.values()].filter(
      ({ isShown, began, progress }) => progress !== undefined || (isShown && now - began >= SECOND),
    );
    const most = Math.max(1, Math.min(MAX_LINES, Math.floor(rows / 2)));
    const shown = wanted.length > most ? wanted.slice(0, most - 1) : wanted;
    const hidden = wanted.length - shown.length;
    const texts = shown.map((live) => inWords(live, now));
    // A line that wraps could not be cleared.
    return [...texts, ...(hidden === 0 ? [] : [`… ${hidden} more jobs`])].map((text) => fitted(text, columns - 1));
  }

  #clear(): void {
    if (this.#drawn > 0) this.#output.write(this.#fd, clearing(this.#drawn));
    this.#drawn = 0;
  }
}

/** Moves from the end of this many lines to their start, and clears them. */
function clearing(lines: number): string {
  return lines === 1 ? "\r\u001b[K" : `\r\u001b[${lines - 1}A\u001b[J`;
}

function terminalSize(): { columns: number; rows: number } {
  const { stderr, stdout } = process;
  return { columns: stderr.columns || stdout.columns || 80, rows: stderr.rows || stdout.rows || 24 };
}

/** Cuts a text to this many columns. A character that may be wide counts as two. */
function fitted(text: string, most: number): string {
  let shown = "";
  let used = 0;
  for (const character of text) {
    used += (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
    if (used > Math.max(1, most)) break;
    shown += character;
  }
  return shown;
}

/** `import 1:05 [##########----------] 50% 250/500 rows`; without a total, `import 1:05 250 rows`. */
function inWords({ name, began, progress }: Live, now: number): string {
  const head = `${visible(name)} ${clock(now - began)}`;
  if (progress === undefined) return head;
  const { done, total, text } = progress;
  const what = text === undefined || text === "" ? "" : ` ${visible(text)}`;
  if (total === undefined || !(total > 0)) return `${head} ${done}${what}`;
  const part = Math.min(1, Math.max(0, done / total));
  const full = Math.round(part * BAR);
  const bar = "#".repeat(full) + "-".repeat(BAR - full);
  return `${head} [${bar}] ${Math.floor(part * 100)}% ${done}/${total}${what}`;
}

/** An elapsed time as on a clock: `0:07`, `1:05:00`. */
function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (number: number): string => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const rest = two(seconds % 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}
