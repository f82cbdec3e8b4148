import { once } from "node:events";
import { isRunError, type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Takes as many locks as it can once it gets a message, several at once and in the same order as every other
 * racer. Reports the numbers of the locks that it got. Arguments: the manager's options as JSON, how many
 * names.
 */
const WIDTH = 20;

const [options = "{}", names = "0"] = process.argv.slice(2);
const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
process.send?.("ready");
await once(process, "message");
const won: number[] = [];
let next = 0;
async function race(): Promise<void> {
  while (next < Number(names)) {
    const number = next++;
    try {
      await manager.start(`job ${number}`, { wait: 0 });
      won.push(number);
    } catch (error) {
      if (!isRunError(error) || error.code !== "LOCKED") throw error;
    }
  }
}
await Promise.all(Array.from({ length: WIDTH }, race));
process.send?.(won);
setInterval(() => {}, 60_000);
