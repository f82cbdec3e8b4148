import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Receives the lines of a program. */
export interface LineSink {
  /** Receives lines with their line breaks. `last` is what followed the last line break. */
  line(text: string, toError: boolean, last: boolean): void;
  /** Resolves once there is room for more. */
  room(): Promise<void>;
  /** Receives each whole line of file descriptor 4. Without it, they are the result of the program. */
  said?(text: string): void;
}

/** A longer line is passed on in pieces, so that a program without line breaks cannot fill the memory. */
const LONGEST = 1 << 16;

/**
 * Passes on whole lines, so that two streams or two jobs never mix within one line. The program is held back
 * while there is no room.
 */
export function forwardLines(
  stream: Readable,
  line: (text: string, last: boolean) => void,
  room: () => Promise<void>,
): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    rest += decoder.write(chunk);
    const end = rest.lastIndexOf("\n") + 1;
    if (end > 0) line(rest.slice(0, end), false);
    rest = rest.slice(end);
    if (rest.length > LONGEST) {
      line(rest, false);
      rest = "";
    }
    stream.pause();
    void room().then(() => stream.resume());
  });
  stream.on("close", () => {
    rest += decoder.end();
    if (rest !== "") line(rest, true);
    rest = "";
  });
}
