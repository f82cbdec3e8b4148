import { cut, LONGEST_LINE, lastState } from "./line.js";

/** Makes lines of raw output, which comes in pieces of any length. Keeps the begin of the open line. */
export class RawLines {
  #open = "";
  /** Bytes of the open line that are not kept. */
  #more = 0;

  /** Adds a piece, and calls `line` for each line that it completes. */
  add(text: string, line: (text: string) => void): void {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#extend(text.slice(from, end));
      this.end(line, true);
      from = end + 1;
    }
    if (from < text.length) this.#extend(text.slice(from));
  }

  /** Completes the open line, if there is one. `evenEmpty`: also if it has no text. */
  end(line: (text: string) => void, evenEmpty = false): void {
    const [open, more] = [this.#open, this.#more];
    this.#open = "";
    this.#more = 0;
    if (evenEmpty || open !== "") line(cut(lastState(open), more));
  }

  #extend(text: string): void {
    // What is overwritten need not be kept. A carriage return at the very end may belong to a line break.
    const last = text.replace(/\r+$/, "").lastIndexOf("\r");
    if (last >= 0 || (this.#open.endsWith("\r") && /[^\r]/.test(text))) {
      this.#open = "";
      this.#more = 0;
    }
    const open = this.#open + text.slice(last + 1);
    const end = Math.min(open.length, isHighSurrogate(open, LONGEST_LINE - 1) ? LONGEST_LINE - 1 : LONGEST_LINE);
    this.#open = open.slice(0, end);
    this.#more += Buffer.byteLength(open.slice(end));
  }
}

function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code < 0xdc00;
}
