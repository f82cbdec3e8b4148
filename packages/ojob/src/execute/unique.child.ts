import { closeSync, openSync, rmSync } from "node:fs";
import { becomeUnique } from "./unique.js";

/** Becomes the only one a few times, and says "twice" if another one is there meanwhile. */
const [folder = "", rounds = "1"] = process.argv.slice(2);
const settings = { pidFile: `${folder}/a.pid` };
let times = 0;
while (times < Number(rounds)) {
  try {
    const letGo = await becomeUnique(settings, 0);
    try {
      closeSync(openSync(`${folder}/witness`, "wx"));
      await new Promise((resolve) => setTimeout(resolve, 2));
      rmSync(`${folder}/witness`);
    } catch {
      console.log("twice");
    }
    times++;
    // The last time as if it had been killed: its file stays behind.
    if (times === Number(rounds)) process.exit();
    letGo();
  } catch (error) {
    if (!/is running already/.test((error as Error).message)) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
