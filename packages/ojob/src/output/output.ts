import { write } from "node:fs";

/** How many bytes may wait to be written. Beyond that, scripts that write more are held back. */
const HIGH_WATER = 1 << 20;

/** The error codes of a reader that went away: another program, or a terminal. */
const READER_GONE: readonly (string | undefined)[] = ["EPIPE", "ECONNRESET", "EIO"];

/**
 * Writes to all file descriptors in the order of the calls, so that log lines and banners appear on a
 * terminal in that order. It never blocks this thread: locks must still be renewed when a pager at the other
 * end of the pipe stops reading. (`process.stdout` writes to pipes and terminals synchronously.)
 */
export class Output {
  #waiting: { readonly fd: number; readonly text: string }[] = [];
  #size = 0;
  #writing = false;
  readonly #gone = new Set<number>();
  #whenLow: (() => void)[] = [];
  #whenEmpty: (() => void)[] = [];
  readonly #onError: ((error: Error) => void) | undefined;
  /** The error that lost output, such as a full disk. A reader that went away does not count. */
  lost: Error | undefined;

  /** `onError` receives failed writes. Without it, a descriptor that fails is given up: its reader left. */
  constructor(onError?: (error: Error) => void) {
    this.#onError = onError;
  }

  write(fd: number, text: string): void {
    if (text === "" || this.#gone.has(fd)) return;
    this.#waiting.push({ fd, text });
    this.#size += text.length;
    if (!this.#writing) this.#next();
  }

  room(): Promise<void> {
    if (this.#size < HIGH_WATER) return Promise.resolve();
    return new Promise((resolve) => this.#whenLow.push(resolve));
  }

  flush(): Promise<void> {
    if (!this.#writing) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  #next(): void {
    const fd = this.#waiting[0]?.fd;
    this.#writing = fd !== undefined;
    if (fd === undefined) {
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
      return;
    }
    // Joins consecutive pieces for the same destination into one write.
    const other = this.#waiting.findIndex((piece) => piece.fd !== fd);
    const pieces = this.#waiting.splice(0, other < 0 ? this.#waiting.length : other);
    const text = pieces.map((piece) => piece.text).join("");
    this.#put(fd, Buffer.from(text), text.length);
  }

  #put(fd: number, bytes: Buffer, size: number): void {
    write(fd, bytes, (error, written) => {
      if (error?.code === "EAGAIN") {
        // Another process made the pipe non-blocking, and the pipe is full.
        setTimeout(() => this.#put(fd, bytes, size), 5);
        return;
      }
      if (error) this.#fail(fd, error);
      else if (written < bytes.length) return this.#put(fd, bytes.subarray(written), size);
      this.#size -= size;
      if (this.#size < HIGH_WATER) for (const resolve of this.#whenLow.splice(0)) resolve();
      this.#next();
    });
  }

  #fail(fd: number, error: NodeJS.ErrnoException): void {
    if (this.#onError !== undefined) {
      this.#onError(error);
      return;
    }
    if (!READER_GONE.includes(error.code)) this.lost ??= error;
    // The reader is gone (`ojm run … | head`), or the disk is full. That must not end a job halfway.
    this.#gone.add(fd);
    for (const piece of this.#waiting) if (piece.fd === fd) this.#size -= piece.text.length;
    this.#waiting = this.#waiting.filter((piece) => piece.fd !== fd);
  }
}
