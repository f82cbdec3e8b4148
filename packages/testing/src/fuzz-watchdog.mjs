import { writeFileSync, writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";

// How many seconds an input may take. They are counted one by one: while the whole process is suspended, none
// of them passes.
const LONGEST = 120;

let present;
let seconds = 0;

parentPort.on("message", (message) => {
  present = message;
  seconds = 0;
});

setInterval(() => {
  if (present === undefined || ++seconds < LONGEST) return;
  writeFileSync(present.file, present.text);
  // The streams of a thread need the main thread, which is busy.
  writeSync(2, `This input has not ended within ${LONGEST} s: ${present.file}\n`);
  process.kill(process.pid, "SIGKILL");
}, 1_000);
