import { widthOf } from "../width/width.js";

/** The screen of its own, without a cursor, and back. */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

const CLEAR = "\u001b[2J";
const CLEAR_LINE = "\u001b[K";

/** The least time between two changes of the screen, and the time after which it is drawn anew, in ms. */
const MOMENT = 100;
const SECOND = 1_000;

/** The size of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What the screen shows now: lines that are no longer than it is wide, and no more than it is high. */
export type Frame = (now: number, size: Size) => readonly string[];

/**
 * The terminal while something is drawn on it. Whatever ends the process, but for SIGKILL, the terminal is as
 * it was.
 */
export class Screen {
  readonly #frame: Frame;
  /** The lines that the terminal shows. */
  #shown: readonly string[] | undefined;
  #second: NodeJS.Timeout | undefined;
  #moment: NodeJS.Timeout | undefined;
  #isOpen = false;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  enter(): void {
    this.#isOpen = true;
    process.stdout.write(ENTER);
    process.on("exit", this.#restore);
    // Before the error is told: what is written to the screen of its own is gone with it.
    process.prependListener("uncaughtException", this.#restore);
    process.on("SIGCONT", this.#enterAgain);
    process.stdout.on("resize", this.#redraw);
    this.#second = setInterval(this.#draw, SECOND);
    this.#draw();
  }

  /** Draws anew in a moment: many changes come at once. */
  changed(): void {
    if (this.#isOpen) this.#moment ??= setTimeout(this.#draw, MOMENT);
  }

  /** Draws anew at once: somebody pressed a key. */
  redraw(): void {
    this.#draw();
  }

  leave(): void {
    process.stdout.off("resize", this.#redraw);
    process.off("SIGCONT", this.#enterAgain);
    process.off("exit", this.#restore);
    process.off("uncaughtException", this.#restore);
    this.#restore();
  }

  readonly #restore = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#second);
    clearTimeout(this.#moment);
    process.stdout.write(LEAVE);
  };

  /** After Ctrl-Z and `fg`, the shell has written over the screen. */
  readonly #enterAgain = (): void => {
    process.stdout.write(ENTER);
    this.#redraw();
  };

  readonly #redraw = (): void => {
    this.#shown = undefined;
    this.#draw();
  };

  readonly #draw = (): void => {
    clearTimeout(this.#moment);
    this.#moment = undefined;
    if (!this.#isOpen) return;
    // Some terminals do not tell their size: it is 0 then.
    const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
    const lines = this.#frame(Date.now(), size);
    process.stdout.write(changes(this.#shown, lines, size.columns));
    this.#shown = lines;
  };
}

/** What makes of the lines that a terminal shows the next ones. Other lines are left alone: no flicker. */
export function changes(before: readonly string[] | undefined, lines: readonly string[], columns: number): string {
  const count = Math.max(before?.length ?? 0, lines.length);
  const changed = Array.from({ length: count }, (_, i) => {
    const line = lines[i] ?? "";
    if (before !== undefined && (before[i] ?? "") === line) return "";
    // Behind a full line the cursor is still on its last character, which would be cleared.
    return `\u001b[${i + 1};1H${line}${widthOf(line) < columns ? CLEAR_LINE : ""}`;
  });
  return `${before === undefined ? CLEAR : ""}${changed.join("")}`;
}
