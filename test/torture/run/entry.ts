import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { programArgs } from "@ojm/testing/programs";

/** A program for a child process of the harness. */
export type Entry = "lane" | "worker" | "stock" | "contents" | "replica";

const SOURCES: Readonly<Record<Entry, string>> = {
  lane: "./lane.child.ts",
  worker: "../traffic/worker.child.ts",
  stock: "../validate/stock.child.ts",
  contents: "../validate/contents.child.ts",
  replica: "../kill-run/replica.child.ts",
};

/**
 * Node's arguments for it. Tests run it as they run all programs. `npm run torture` runs the builds of
 * scripts/lib/programs.mjs, all in one folder. `base` is the folder of the same builds beside the base
 * version, whose packages they import there.
 */
export function nodeArgs(entry: Entry, base?: string): string[] {
  if (base !== undefined) return [join(base, `${entry}.js`)];
  if (!import.meta.url.endsWith(".ts")) return [fileURLToPath(new URL(`./${entry}.js`, import.meta.url))];
  return programArgs(new URL(SOURCES[entry], import.meta.url));
}
