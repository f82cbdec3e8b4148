import { spawn } from "node:child_process";
import { once } from "node:events";
import type { JobManagerOptions } from "@ojm/core";
import { nodeArgs } from "../run/entry.js";
import type { Mode, Stock } from "../scene/events.js";

/**
 * Takes stock in another process: by the base version if `base` is the folder of its programs, otherwise by
 * the current one. Throws with what the process printed if it fails.
 */
export async function takeStockElsewhere(
  options: JobManagerOptions,
  mode: Mode,
  base: string | undefined,
): Promise<Stock> {
  return (await sentBy("stock", base, [JSON.stringify(options), mode])) as Stock;
}

/** Reads a store in use by a process of one of the versions: all that a program can see of it. */
export async function readElsewhere(
  options: JobManagerOptions,
  at: number,
  base: string | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  return (await sentBy("contents", base, [JSON.stringify(options), String(at)])) as Readonly<Record<string, unknown>>;
}

/** What a program of one of the versions sends before it ends. */
async function sentBy(entry: "stock" | "contents", base: string | undefined, words: string[]): Promise<unknown> {
  const args = [...nodeArgs(entry, base), ...words];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let printed = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  let sent: unknown;
  child.on("message", (message) => {
    sent = message;
  });
  const [code] = await once(child, "close");
  const who = base === undefined ? "current" : "base";
  if (sent === undefined || code !== 0) throw new Error(`the ${who} version took no ${entry} (${code}): ${printed}`);
  return sent;
}
