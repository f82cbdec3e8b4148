import { once } from "node:events";
import { CommandError, EXIT } from "../../errors.js";

/** How many characters are gathered before a write. */
const AT_ONCE = 65_536;

/** Writes many lines to stdout, as fast as its reader takes them. */
export class Output {
  readonly #closing: AbortController = new AbortController();
  #failure: Error | undefined;
  #text = "";

  constructor() {
    process.stdout.on("error", this.#failed);
  }

  /** Fires when the reader closes its end, as `head` does, or the output cannot be written. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  async write(item: object): Promise<void> {
    this.#text += `${JSON.stringify(item)}\n`;
    if (this.#text.length >= AT_ONCE) await this.flush();
  }

  /**
   * Writes all pending lines.
   *
   * @throws CommandError if the output cannot be written, for example because the disk is full
   */
  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text !== "" && !this.closed.aborted) await this.#written(text);
    if (this.#failure !== undefined)
      throw new CommandError(`the output cannot be written: ${this.#failure.message}`, EXIT.failed);
  }

  close(): void {
    process.stdout.off("error", this.#failed);
  }

  async #written(text: string): Promise<void> {
    if (process.stdout.write(text)) return;
    // If the reader closes its end, there may be no "drain": `closed` then ends the wait.
    await once(process.stdout, "drain", { signal: this.closed }).catch(() => {});
  }

  readonly #failed = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") this.#failure = error;
    this.#closing.abort();
  };
}
