import { spawn } from "node:child_process";
import { once } from "node:events";
import type { JobManagerOptions } from "@ojm/core";
import { nodeArgs } from "../run/entry.js";
import type { Stock } from "../scene/events.js";

/**
 * Takes stock in another process: by the base version if `base` is the folder of its programs, otherwise by
 * the current one. Throws with what the process printed if it fails.
 */
export async function takeStockElsewhere(
  options: JobManagerOptions,
  hasJobs: boolean,
  base: string | undefined,
): Promise<Stock> {
  const args = [...nodeArgs("stock", base), JSON.stringify(options), ...(hasJobs ? ["jobs"] : [])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let printed = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  let stock: Stock | undefined;
  child.on("message", (message) => {
    stock = message as Stock;
  });
  const [code] = await once(child, "close");
  const who = base === undefined ? "current" : "base";
  if (stock === undefined || code !== 0) throw new Error(`the ${who} version took no stock (${code}): ${printed}`);
  return stock;
}
