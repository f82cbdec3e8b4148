import { type MessagePort, parentPort } from "node:worker_threads";
import type { ToThread } from "../protocol.js";
import { installFunctions } from "./functions/standard-functions.js";
import { rememberGlobals } from "./globals.js";
import { load } from "./load.js";
import { rememberRest } from "./quiet.js";
import { run, stop } from "./run.js";
import { watchVariables } from "./state/environment.js";
import { redirectOutput } from "./streams.js";

/** Prepares this thread for scripts and waits for them. */
export function start(): void {
  redirectOutput();
  watchVariables();
  installFunctions();
  rememberGlobals();
  let queue: Promise<void> = Promise.resolve();
  const main = parentPort as MessagePort;
  main.on("message", (message: ToThread) => {
    if (message.type === "stop") return stop();
    rememberRest();
    queue = queue.then(() => (message.type === "load" ? load(message) : run(message)));
  });
}
