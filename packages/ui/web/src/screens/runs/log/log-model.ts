import { signal } from "@preact/signals";
import { ApiError, queryOf, read } from "../../../api/call.js";
import type { LogItem, LogPage } from "../../../api/types.js";
import { followLog } from "../../../live/live.js";
import { painted } from "../../../parts/steady/height.js";

/** How many of the last lines are shown first. */
const TAIL = 400;

/** How many lines are read at once. */
const PAGE = 2_000;

/** A line of a log. */
export type Line = Extract<LogItem, { readonly line: number }>;

/** A line or a place where lines are missing. `loading`: they are being read. */
export type Row = LogItem | { readonly loading: true };

/** Whether a row is a line. */
export const isLine = (row: Row): row is Line => "line" in row;

/** The lines of a log: its end first, then its start, then new lines. */
export class LogModel {
  /** Counts the changes. Rows before `kept` are unchanged since the last change. */
  readonly change = signal({ version: 0, kept: 0 });
  readonly state = signal<"loading" | "ready" | ApiError>("loading");
  rows: Row[] = [];
  readonly #path: string;
  readonly #id: string;
  readonly #abort = new AbortController();
  #head: LogItem[] = [];
  #tail: LogItem[] = [];
  #isWhole = false;
  #isDrawn = false;
  #last = 0;
  #catching = false;
  #again = false;
  /** What to do after the first read: the run is running, or it ended meanwhile. */
  #then: "follow" | "catch up" | undefined;
  #off: (() => void) | undefined;

  /** Starts to read the log of a run. */
  constructor(id: string) {
    this.#id = id;
    this.#path = `runs/${encodeURIComponent(id)}/log`;
    void this.#open();
  }

  async #open(): Promise<void> {
    try {
      const { items } = await this.#read({ tail: TAIL });
      this.#tail = [...items];
      this.#last = lastLine(items) ?? 0;
      this.#isWhole = (firstLine(items) ?? 1) <= 1;
      this.#publish(0);
      this.state.value = "ready";
      // Paint the requested lines before those above them are read.
      await painted();
      this.#isDrawn = true;
      if (this.#then !== undefined) this.go(this.#then);
      if (!this.#isWhole) await this.#readHead();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.state.value = error instanceof ApiError ? error : new ApiError("UNKNOWN", String(error), 0);
    }
  }

  /**
   * `follow`: adds new lines from now on, because the run is running. `catch up`: reads the lines written
   * since, because the run has ended, and its last lines may have come with its end.
   */
  go(then: "follow" | "catch up"): void {
    this.#then = then;
    if (!this.#isDrawn) return;
    if (then === "follow") this.#follow();
    else void this.#catchUp();
  }

  close(): void {
    this.#abort.abort();
    this.#off?.();
  }

  #read(query: { readonly tail?: number; readonly after?: number; readonly limit?: number }): Promise<LogPage> {
    return read<LogPage>(`${this.#path}${queryOf(query)}`, this.#abort.signal);
  }

  async #readHead(): Promise<void> {
    const until = firstLine(this.#tail) ?? 1;
    for (let after = 0; !this.#isWhole; ) {
      const { items, more } = await this.#read({ after, limit: PAGE });
      const kept = this.#head.length;
      const end = items.findIndex((item) => "line" in item && item.line >= until);
      this.#head.push(...(end === -1 ? items : items.slice(0, end)));
      const next = lastLine(items);
      this.#isWhole = end !== -1 || !more || next === undefined || next <= after;
      after = next ?? after;
      this.#publish(kept);
    }
  }

  #follow(): void {
    if (this.#abort.signal.aborted || this.#off !== undefined) return;
    this.#off = followLog(this.#id, this.#last, (items) => {
      if (items === "reset") void this.#catchUp();
      else this.#add(items);
    });
  }

  /** Adds the next lines. Reads the lines before them if some are missing. */
  #add(items: readonly LogItem[]): void {
    const fresh = items.filter((item) => !("line" in item) || item.line > this.#last);
    const first = fresh[0];
    if (first === undefined) return;
    const lacks =
      "line" in first ? first.line > this.#last + 1 : lastLine(fresh) === undefined && first.missing !== "unknown";
    if (lacks) void this.#catchUp();
    else this.#append(fresh);
  }

  async #catchUp(): Promise<void> {
    if (this.#catching) {
      this.#again = true;
      return;
    }
    this.#catching = true;
    try {
      for (;;) {
        this.#again = false;
        const { items, more } = await this.#read({ after: this.#last, limit: PAGE });
        const fresh = items.filter((item) => !("line" in item) || item.line > this.#last);
        if (fresh.some((item) => "line" in item)) this.#append(fresh);
        if ((!more || fresh.length === 0) && !this.#again) return;
      }
    } catch {
      // The stream reconnects by itself, and this is read again then.
    } finally {
      this.#catching = false;
    }
  }

  #append(items: readonly LogItem[]): void {
    const kept = this.rows.length;
    this.#tail.push(...items);
    this.#last = lastLine(items) ?? this.#last;
    this.rows.push(...items);
    this.#report(kept);
  }

  #publish(kept: number): void {
    const between: Row[] = this.#isWhole ? [] : [{ loading: true }];
    this.rows = [...this.#head, ...between, ...this.#tail];
    this.#report(kept);
  }

  #report(kept: number): void {
    this.change.value = { version: this.change.peek().version + 1, kept };
  }
}

function firstLine(items: readonly LogItem[]): number | undefined {
  return items.find((item) => "line" in item)?.line;
}

function lastLine(items: readonly LogItem[]): number | undefined {
  return items.findLast((item) => "line" in item)?.line;
}
