import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager, type Run } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { isClosing } from "../traffic/closing.js";
import { policies } from "./policies.js";
import { lineOf } from "./witness.js";

/*
 * One of the replicas of a kill run: the program of the README, whose bodies write to a witness beside the
 * store. Arguments: the manager's options as JSON, the file of the witness, how long a body takes in ms.
 */
const [options = "{}", witness = "", takes = "0"] = process.argv.slice(2);

/** The time between two lines of a body, in ms. */
const BEAT = 20;

/** A running body writes lines all the time, so two at once cannot hide from the witness. */
async function body(run: Run): Promise<void> {
  const end = performance.now() + Number(takes);
  const write = (what: "enter" | "beat" | "done"): void =>
    appendFileSync(witness, lineOf({ what, name: run.name, run: run.id, pid: process.pid }));
  write("enter");
  while (performance.now() < end) {
    await pause(BEAT);
    // A replica that is closed lets its runs end.
    if (!isClosing(run.signal)) run.signal.throwIfAborted();
    write("beat");
  }
  write("done");
}

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const scheduler = openScheduler(manager);
for (const [name, definition] of Object.entries(policies)) await scheduler.add(name, definition, body);
process.send?.("ready");
process.once("SIGTERM", async () => {
  await Promise.all([scheduler.close(), manager.close()]);
  process.disconnect?.();
});
