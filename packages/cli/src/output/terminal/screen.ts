import { widthOf } from "../width/width.js";

/** Enters the alternate screen without a cursor, and leaves it. */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

const CLEAR = "\u001b[2J";
const CLEAR_LINE = "\u001b[K";

/** The shortest pause between two changes of the screen, and the interval of regular redraws, in ms. */
const MOMENT = 100;
const SECOND = 1_000;

/** The size of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The lines of the screen at a time: at most as long as it is wide, and as many as it is high. */
export type Frame = (now: number, size: Size) => readonly string[];

/** What is drawn on the terminal, which is restored however the process ends, except by SIGKILL. */
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
    // Before the error is printed: output on the alternate screen is lost when it closes.
    process.prependListener("uncaughtException", this.#restore);
    process.on("SIGCONT", this.#enterAgain);
    process.stdout.on("resize", this.#redraw);
    this.#second = setInterval(this.#draw, SECOND);
    this.#draw();
  }

  /** Draws again in a moment, because many changes come at once. */
  changed(): void {
    if (this.#isOpen) this.#moment ??= setTimeout(this.#draw, MOMENT);
  }

  /** Draws again at once, after a key. */
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
    // Some terminals do not report their size: it is 0 then.
    const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
    const lines = this.#frame(Date.now(), size);
    process.stdout.write(changes(this.#shown, lines, size.columns));
    this.#shown = lines;
  };
}

/** The output that changes the lines of a terminal. Unchanged ones are not written: they would flicker. */
export function changes(before: readonly string[] | undefined, lines: readonly string[], columns: number): string {
  const count = Math.max(before?.length ?? 0, lines.length);
  const changed = Array.from({ length: count }, (_, i) => {
    const line = lines[i] ?? "";
    if (before !== undefined && (before[i] ?? "") === line) return "";
    // After a full line the cursor is still on its last character, which would be cleared.
    return `\u001b[${i + 1};1H${line}${widthOf(line) < columns ? CLEAR_LINE : ""}`;
  });
  return `${before === undefined ? CLEAR : ""}${changed.join("")}`;
}
