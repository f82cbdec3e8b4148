import { type Channel, type OpenOptions, openChannel, type RunRecord } from "@ojm/core";
import { patiently } from "../scene/patiently.js";
import { hostTime } from "../scene/time.js";

/** A closing of a record: when the watch reported it, and the status. */
export interface Closing {
  readonly t: number;
  readonly status: string;
}

/** Watches the records of a cell, and records each closing. */
export class RecordWatch {
  /** By the record's key. */
  readonly closings: Map<string, Closing[]> = new Map();
  readonly #channel: Channel<RunRecord>;
  readonly #over: AbortController = new AbortController();
  readonly #versions: Set<string> = new Set();
  #following: Promise<void> | undefined;

  private constructor(channel: Channel<RunRecord>) {
    this.#channel = channel;
  }

  static async start(options: OpenOptions): Promise<RecordWatch> {
    const watch = new RecordWatch(await patiently(() => openChannel<RunRecord>("oJobManager-jobs", options)));
    // After a gap, the watch reports all entries again. `#follow` skips the versions that it has seen.
    watch.#following = patiently(() => watch.#follow());
    // `close()` reports the failure.
    watch.#following.catch(() => {});
    return watch;
  }

  async #follow(): Promise<void> {
    try {
      for await (const event of this.#channel.watch({ signal: this.#over.signal })) {
        if (event.type !== "put" || event.entry.value.status === "running") continue;
        const { key, version } = event.entry;
        const seen = `${JSON.stringify(key)} ${version}`;
        if (this.#versions.has(seen)) continue;
        this.#versions.add(seen);
        const closing = { t: hostTime(), status: event.entry.value.status };
        this.closings.set(JSON.stringify(key), [...(this.closings.get(JSON.stringify(key)) ?? []), closing]);
      }
    } catch (error) {
      if (!this.#over.signal.aborted) throw error;
    }
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#following;
    await this.#channel.close();
  }
}
