import { isChannelError } from "@ojm/core/backend";
import { REPLIES, type Reply } from "./reply.js";

/** The most entries of a call that several reads share: the server builds the whole answer in its memory. */
const READ_TOGETHER = 32;

/** Reads entries by one script call. Resolves to {@link REPLIES} replies for each. */
type Look = (entries: readonly string[]) => Promise<readonly Reply[]>;

interface Part {
  readonly entries: readonly string[];
  resolve(replies: readonly Reply[]): void;
  reject(error: unknown): void;
}

/**
 * Joins the reads that are made in one turn of the event loop to one script call. A call costs the server and
 * the client more than a read. Each read sees all of its entries at one moment, as before.
 */
export class JoinedReads {
  readonly #look: Look;
  #parts: Part[] = [];
  #entries = 0;
  readonly #atEnd = (): void => this.send();

  constructor(look: Look) {
    this.#look = look;
  }

  /** Reads the entries of one call. Rejects with the error of {@link Look}. */
  read(entries: readonly string[]): Promise<readonly Reply[]> {
    if (this.#entries + entries.length > READ_TOGETHER) this.send();
    // Wait no longer: this runs after the microtasks of the turn, before any timer or other socket.
    if (this.#parts.length === 0) process.nextTick(this.#atEnd);
    this.#entries += entries.length;
    return new Promise((resolve, reject) => this.#parts.push({ entries, resolve, reject }));
  }

  /** Sends the reads that were joined so far, without waiting for the end of the turn. */
  send(): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    this.#entries = 0;
    this.#look(parts.length === 1 ? (parts[0]?.entries ?? []) : parts.flatMap(({ entries }) => entries)).then(
      (replies) => {
        let at = 0;
        for (const { entries, resolve } of parts) {
          const end = at + REPLIES * entries.length;
          resolve(replies.slice(at, end));
          at = end;
        }
      },
      (error: unknown) => this.#onError(parts, error),
    );
  }

  #onError(parts: readonly Part[], error: unknown): void {
    // The server refuses a call as a whole if its user may not have one of the keys.
    const alone = parts.length > 1 && isChannelError(error) && error.code === "DENIED";
    for (const { entries, resolve, reject } of parts) {
      if (alone) this.#look(entries).then(resolve, reject);
      else reject(error);
    }
  }
}
