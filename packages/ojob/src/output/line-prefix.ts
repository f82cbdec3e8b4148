import { visible } from "@ojm/core/internal";

/** What stands before each line that a job writes. */
export interface LinePrefix {
  readonly time: boolean;
  readonly job: boolean;
}

/** What a job has printed of lines that are not whole: the lines of others must not come into them. */
export class HeldLines {
  readonly #rests: Map<boolean, string> = new Map();

  /** The whole lines of a text and of what was held before it; the rest is held. */
  take(text: string, toError: boolean): string[] {
    const lines = `${this.#rests.get(toError) ?? ""}${text}`.split("\n");
    this.#rests.set(toError, lines.pop() ?? "");
    return lines;
  }

  /** What is still held, when the job is over. */
  *rests(): Generator<readonly [text: string, toError: boolean]> {
    for (const [toError, text] of this.#rests) if (text !== "") yield [text, toError];
    this.#rests.clear();
  }
}

/** The prefix of a line. `time` is in ms since 1970; `undefined` for a line that tells its time itself. */
export function prefixText({ time: hasTime, job: hasJob }: LinePrefix, job: string, time: number | undefined): string {
  const date = hasTime && time !== undefined ? `${new Date(time).toISOString()} ` : "";
  return hasJob ? `${date}[${visible(job)}] ` : date;
}
