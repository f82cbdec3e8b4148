import { once } from "node:events";
import { endUnlessGone } from "./print.js";

/**
 * Writes lines to stdout as fast as its reader takes them. When the reader closes its end, as `head` does,
 * `closed` fires.
 */
export class Lines {
  readonly #closing: AbortController = new AbortController();

  constructor() {
    process.stdout.on("error", () => this.close());
    process.stdout.once("error", endUnlessGone);
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  async write(line: string): Promise<void> {
    if (this.closed.aborted || process.stdout.write(`${line}\n`)) return;
    // If the reader closes its end, there may be no "drain": `closed` then ends the wait.
    await once(process.stdout, "drain", { signal: this.closed }).catch(() => {});
  }

  close(): void {
    this.#closing.abort();
  }
}
