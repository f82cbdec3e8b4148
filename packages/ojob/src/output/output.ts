import { write, writeSync } from "node:fs";

/** How much may wait to be written before scripts that write more are held back. */
const HIGH_WATER = 1 << 20;

/**
 * Writes to a file descriptor in order, without ever blocking this thread: when a pager at the other end of the pipe stops
 * reading, locks must still be renewed. (`process.stdout` writes to pipes and terminals synchronously.)
 */
export class Output {
  readonly #fd: number;
  #waiting: string[] = [];
  #size = 0;
  #writing = false;
  #gone = false;
  #whenLow: (() => void)[] = [];
  #whenEmpty: (() => void)[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(text: string): void {
    if (this.#gone || text === "") return;
    this.#waiting.push(text);
    this.#size += text.length;
    if (!this.#writing) this.#next();
  }

  /** Resolves once there is room for more. */
  room(): Promise<void> {
    if (this.#size < HIGH_WATER) return Promise.resolve();
    return new Promise((resolve) => this.#whenLow.push(resolve));
  }

  /** Resolves once everything is written. */
  flush(): Promise<void> {
    if (!this.#writing) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Writes what waits at once. For the end of a process that has no time left to wait. */
  flushNow(): void {
    const rest = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    try {
      for (let done = 0; done < rest.length; ) done += writeSync(this.#fd, rest, done);
    } catch {
      this.#gone = true;
    }
  }

  #next(): void {
    if (this.#waiting.length === 0) {
      this.#writing = false;
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
      return;
    }
    this.#writing = true;
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#put(Buffer.from(text), text.length);
  }

  #put(bytes: Buffer, size: number): void {
    write(this.#fd, bytes, (error, written) => {
      if (error?.code === "EAGAIN") {
        // Somebody made the pipe non-blocking, and it is full.
        setTimeout(() => this.#put(bytes, size), 5);
        return;
      }
      if (error) this.#giveUp();
      else if (written < bytes.length) return this.#put(bytes.subarray(written), size);
      this.#size -= this.#gone ? this.#size : size;
      if (this.#size < HIGH_WATER) for (const resolve of this.#whenLow.splice(0)) resolve();
      this.#next();
    });
  }

  /** The reader is gone (`ojm run … | head`). That is no reason to end a job half done. */
  #giveUp(): void {
    this.#gone = true;
    this.#waiting = [];
  }
}
