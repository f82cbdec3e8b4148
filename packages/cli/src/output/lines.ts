import { once } from "node:events";
import type { LogGap } from "@ojm/core/internal";
import { endUnlessGone } from "./print.js";

/**
 * Writes lines to stdout as fast as its reader takes them. When the reader closes its end, as `head` does,
 * `closed` fires. Any other write error ends the process with 1.
 */
export class Lines {
  readonly #closing: AbortController = new AbortController();
  readonly #atOnce: number;
  #text = "";

  /** `atOnce`: how many characters are gathered before a write. */
  constructor(atOnce = 0) {
    this.#atOnce = atOnce;
    process.stdout.on("error", () => this.close());
    process.stdout.once("error", endUnlessGone);
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  async write(line: string): Promise<void> {
    this.#text += `${line}\n`;
    if (this.#text.length >= this.#atOnce) await this.flush();
  }

  /** Writes the gathered lines. */
  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text === "" || this.closed.aborted || process.stdout.write(text)) return;
    // If the reader closes its end, there may be no "drain": `closed` then ends the wait.
    await once(process.stdout, "drain", { signal: this.closed }).catch(() => {});
  }

  close(): void {
    this.#closing.abort();
  }
}

/** A place in a log where lines are missing, as text. */
export function sayGap({ missing }: LogGap): string {
  if (missing === "unknown") return "… the end is missing";
  return missing.lines === 1 ? "… 1 line is missing" : `… ${missing.lines} lines are missing`;
}
