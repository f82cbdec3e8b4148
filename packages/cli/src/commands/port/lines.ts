import { CommandError } from "../../errors.js";

/** The longest line of an export, in bytes. A longer line means that the file is not an export. */
const LONGEST = 512 * 1_024 * 1_024;

const LINE_BREAK = 10;

/** A line, and its number from 1. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** The lines of a stream, without empty ones, read only as fast as the consumer takes them. */
export async function* linesOf(
  stream: AsyncIterable<Buffer | string>,
  source: string,
): AsyncGenerator<Line, void, undefined> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let begun: Buffer[] = [];
  let length = 0;
  const line = (last: Buffer): Line | undefined => {
    number++;
    const bytes = begun.length === 0 ? last : Buffer.concat([...begun, last]);
    begun = [];
    length = 0;
    try {
      const text = utf8.decode(bytes).trim();
      return text === "" ? undefined : { number, text };
    } catch {
      throw new CommandError(`line ${number} of ${source} is not text in UTF-8`);
    }
  };
  for await (const chunk of stream) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    let from = 0;
    for (let at = bytes.indexOf(LINE_BREAK); at >= 0; at = bytes.indexOf(LINE_BREAK, from)) {
      const next = line(bytes.subarray(from, at));
      from = at + 1;
      if (next !== undefined) yield next;
    }
    if (from === bytes.length) continue;
    begun.push(bytes.subarray(from));
    length += bytes.length - from;
    if (length > LONGEST) throw new CommandError(`line ${number + 1} of ${source} is too long to be of an export`);
  }
  const last = length > 0 ? line(Buffer.alloc(0)) : undefined;
  if (last !== undefined) yield last;
}
