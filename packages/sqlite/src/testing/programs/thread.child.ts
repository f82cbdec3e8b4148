/** Runs in a worker thread: writes 100 times. */
import { workerData } from "node:worker_threads";
import { openFile } from "./program.js";

const opened = await openFile(String(workerData));
for (let i = 0; i < 100; i++) {
  const outcome = await opened.commit({ checks: [], writes: [{ key: "thread", value: String(i) }] });
  if (!outcome.ok) throw new Error("refused");
}
await opened.close();
