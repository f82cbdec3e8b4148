import type { CallOptions, Commit, CommitOutcome, StoredWrite } from "../../../channel/backend/backend.js";
import { PassedOn } from "../../stores/passed-on.js";
import { isOfLog } from "../entry-kinds.js";
import type { PlantedBug } from "../planted-bugs.js";

/* Bugs of code that writes the log of a run, planted between ojm and the store. */

interface Chunk {
  readonly line: number;
  readonly offset: number;
  readonly lines: number;
  readonly text: string;
  readonly end?: true;
}

abstract class LogBug extends PassedOn {
  override commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    return super.commit({ checks, writes: writes.map((write) => this.#changed(write)) }, options);
  }

  #changed(write: StoredWrite): StoredWrite {
    if (!isOfLog(write.key) || write.value === null) return write;
    const chunk = JSON.parse(write.value);
    return typeof chunk.text !== "string" ? write : { ...write, value: JSON.stringify(this.change(write.key, chunk)) };
  }

  /** The chunk that is written instead. */
  abstract change(key: string, chunk: Chunk): Chunk;
}

/** The last line of a chunk is lost, and those after it are counted as if it had never been. */
class LostUncounted extends LogBug {
  /** The lost lines of each log, by the key of the chunk that lost them: a chunk may be written again. */
  readonly #lost: Map<string, { readonly line: number; readonly bytes: number }> = new Map();

  change(key: string, chunk: Chunk): Chunk {
    const log = key.slice(0, key.trimEnd().lastIndexOf(" "));
    const before = [...this.#lost].filter(([other, { line }]) => other.startsWith(log) && line < chunk.line);
    const line = chunk.line - before.length;
    const offset = chunk.offset - before.reduce((sum, [, { bytes }]) => sum + bytes, 0);
    const texts = chunk.text.split("\n");
    if (chunk.lines < 3 || chunk.end === true) return { ...chunk, line, offset };
    const last = texts.pop() ?? "";
    const bytes = Buffer.byteLength(last.replace(/^\S+ \S /, "")) + 1;
    this.#lost.set(key, { line: chunk.line, bytes });
    return { ...chunk, line, offset, lines: chunk.lines - 1, text: texts.join("\n") };
  }
}

/** Each chunk says that the log is complete. */
class EndTooEarly extends LogBug {
  change(_: string, chunk: Chunk): Chunk {
    return { ...chunk, end: true };
  }
}

/** All planted bugs of logs. */
export const plantedLogBugs: readonly PlantedBug[] = [
  {
    name: "a line of a log is lost and not counted",
    caughtAs: /^the log of \S+ is wrong/,
    plant: (store, clock) => new LostUncounted(store, clock),
  },
  {
    name: "a log says too early that it is complete",
    caughtAs: /lines, as if it were complete/,
    plant: (store, clock) => new EndTooEarly(store, clock),
  },
];
