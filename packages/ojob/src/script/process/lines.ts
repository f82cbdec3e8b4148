import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Where the lines of a program go. */
export interface LineSink {
  /** Lines with their line breaks. `last` is what stood behind the last of them when the program ended. */
  line(text: string, toError: boolean, last: boolean): void;
  /** Resolves once there is room for more. */
  room(): Promise<void>;
}

/** A line longer than this is handed on in pieces, or a program that writes none would fill the memory. */
const LONGEST = 1 << 16;

/**
 * Hands on whole lines, so that what two streams or two jobs write at the same time never mixes within one. The program is held
 * back while there is no room.
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
