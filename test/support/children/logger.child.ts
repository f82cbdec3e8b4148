import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { lineOf } from "../log-lines.js";

/** A message of the process: the id of its run, the number of lines written, or the end of its run. */
export type LoggerReport =
  | { readonly id: string }
  | { readonly written: number; readonly spent: number }
  | { readonly ended: number; readonly lines: number };

/** How many lines it writes between two rests of a few ms. */
const AT_ONCE = 100;

/*
 * Runs one job that writes numbered lines into its log, whatever happens to the store. It begins at the
 * message `go`, reports its progress at each `look`, and ends soon after `last`. Arguments: the manager's
 * options as JSON, the number of lines, "kill" to die without an end.
 */
const [options = "{}", lines = "0", how = ""] = process.argv.slice(2);
const send = (report: LoggerReport): void => void process.send?.(report);
let written = 0;
/** How long the calls have taken, in ms. */
let spent = 0;
let isLast = false;
process.on("message", (request: string) => {
  if (request === "look") send({ written, spent });
  if (request === "last") isLast = true;
});

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const most = Number(lines);
const { record } = await manager.run(
  "logger",
  async (run) => {
    send({ id: run.id });
    await once(process, "message");
    while (written < most && !isLast) {
      const began = performance.now();
      for (let i = 0; i < AT_ONCE && written < most; i++) run.log.info(lineOf(++written));
      spent += performance.now() - began;
      run.progress(written, most);
      await pause(4);
    }
    if (how === "kill") process.kill(process.pid, "SIGKILL");
  },
  { timeout: 3_600_000 },
);
send({ ended: record.duration ?? 0, lines: written });
await manager.close();
process.disconnect();
