/** The entry of a script thread. */
import { Writable } from "node:stream";
import { type MessagePort, parentPort } from "node:worker_threads";
import type { ToThread } from "../protocol.js";
import { printText } from "./bridge.js";
import { installFunctions } from "./functions/standard-functions.js";
import { rememberGlobals, rememberRest } from "./globals.js";
import { load } from "./modules.js";
import { run, stop } from "./run.js";
import { watchVariables } from "./state.js";

/** Sends a stream of the process, and `console`, the way of `print`, in order with the log. */
function redirect(name: "stdout" | "stderr", toError: boolean): void {
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

redirect("stdout", false);
redirect("stderr", true);
watchVariables();
installFunctions();
rememberGlobals();
let queue: Promise<void> = Promise.resolve();
(parentPort as MessagePort).on("message", (message: ToThread) => {
  if (message.type === "stop") return stop();
  rememberRest();
  queue = queue.then(() => (message.type === "load" ? load(message) : run(message)));
});
