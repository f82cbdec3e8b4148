import { Writable } from "node:stream";
import { printText } from "./bridge.js";

/**
 * Sends what scripts and modules write to `process.stdout`, `process.stderr` and `console` the way that
 * `print` goes. The streams of a thread arrive at any time, out of order with the log, or not at all if the
 * thread is ended.
 */
export function redirectOutput(): void {
  defineStream("stdout", false);
  defineStream("stderr", true);
}

function defineStream(name: "stdout" | "stderr", toError: boolean): void {
  let stream: Writable | undefined;
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get() {
      stream ??= new Writable({
        decodeStrings: false,
        write(chunk: string | Buffer, _encoding, done) {
          printText(chunk.toString(), toError);
          done();
        },
      });
      return stream;
    },
  });
}
