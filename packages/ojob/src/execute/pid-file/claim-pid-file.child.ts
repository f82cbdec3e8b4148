import { closeSync, openSync, rmSync } from "node:fs";
import { claimPidFile } from "./claim-pid-file.js";

/** Claims the pid file a few times, and prints "twice" if another process holds it at the same time. */
const [folder = "", rounds = "1"] = process.argv.slice(2);
const settings = { pidFile: `${folder}/a.pid` };
let times = 0;
while (times < Number(rounds)) {
  try {
    const letGo = await claimPidFile(settings, 0);
    try {
      closeSync(openSync(`${folder}/witness`, "wx"));
      await new Promise((resolve) => setTimeout(resolve, 2));
      rmSync(`${folder}/witness`);
    } catch {
      console.log("twice");
    }
    times++;
    // The last claim ends as after a kill: its file stays behind.
    if (times === Number(rounds)) process.exit();
    letGo();
  } catch (error) {
    if (!/is running already/.test((error as Error).message)) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
