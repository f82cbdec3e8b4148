import { writeSync } from "node:fs";
import { visible } from "@ojm/core/internal";
import type { Output } from "./output.js";

/** How far a job is. */
export interface JobProgress {
  readonly done: number;
  readonly total?: number | undefined;
  /** What is counted, or what the job does now. */
  readonly text?: string | undefined;
}

/** A job that has a line. */
interface Live {
  readonly name: string;
  readonly began: number;
  /** Whether it has a line without progress too, once it runs for a second. */
  isShown: boolean;
  progress?: JobProgress;
}

/** The characters of a bar. */
const BAR = 20;

/** The lines are drawn so often at most, in ms. */
const REST = 100;

/** A job without progress has a line from then on, and elapsed times are drawn anew so often, in ms. */
const SECOND = 1_000;

/** The most lines. */
const MOST = 10;

/** The jobs at work, in the last lines of a terminal, below what they write. Drawn anew in their place. */
export class LiveLines {
  readonly #fd: number;
  readonly #output: Pick<Output, "write">;
  readonly #size: () => { readonly columns: number; readonly rows: number };
  readonly #now: () => number;
  readonly #jobs = new Map<object, Live>();
  /** How many lines are drawn. */
  #drawn = 0;
  /** Whether a job went on since the lines were drawn. */
  #isOld = false;
  /** Whether the terminal is in the middle of a line that somebody else writes. */
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

  /** A job began. */
  begin(job: object, name: string): void {
    this.#liveOf(job, name).isShown = true;
  }

  /** How far a job is; `undefined` while it tells nothing. */
  set(job: object, name: string, progress: JobProgress): void {
    this.#liveOf(job, name).progress = progress;
    this.#drawSoon();
  }

  /** A job is over. */
  end(job: object): void {
    if (!this.#jobs.delete(job)) return;
    if (this.#jobs.size === 0) clearInterval(this.#second);
    if (this.#drawn > 0) this.#draw();
  }

  /** Takes the lines away while `write` writes a text, and draws them again below. */
  around(text: string, write: () => void): void {
    if (text === "") return;
    this.#clear();
    write();
    this.#inLine = !text.endsWith("\n");
    this.#draw();
  }

  /** Takes the lines away. */
  close(): void {
    this.#forget();
    this.#draw();
  }

  /** Takes the lines away at once: the process ends, and writes nothing more in its own time. */
  leave(): void {
    this.#forget();
    try {
      if (this.#drawn > 0) writeSync(this.#fd, clearing(this.#drawn));
    } catch {
      // The terminal is gone.
    }
    this.#drawn = 0;
  }

  /** Draws anew: time has passed. */
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
    }, REST).unref();
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
    const most = Math.max(1, Math.min(MOST, Math.floor(rows / 2)));
    const shown = wanted.length > most ? wanted.slice(0, most - 1) : wanted;
    const hidden = wanted.length - shown.length;
    const texts = shown.map((live) => inWords(live, now));
    // A line that wraps could not be emptied.
    return [...texts, ...(hidden === 0 ? [] : [`… ${hidden} more jobs`])].map((text) => fitted(text, columns - 1));
  }

  #clear(): void {
    if (this.#drawn > 0) this.#output.write(this.#fd, clearing(this.#drawn));
    this.#drawn = 0;
  }
}

/** Moves from the end of so many lines to their begin, and empties them. */
function clearing(lines: number): string {
  return lines === 1 ? "\r\u001b[K" : `\r\u001b[${lines - 1}A\u001b[J`;
}

function terminalSize(): { columns: number; rows: number } {
  const { stderr, stdout } = process;
  return { columns: stderr.columns || stdout.columns || 80, rows: stderr.rows || stdout.rows || 24 };
}

/** A text in so many columns. A character that may be wide counts as two: too short a line does no harm. */
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
