import { fileURLToPath } from "node:url";
import { programArgs } from "@ojm/testing/programs";

/** A program for a child process of the harness. */
export type Entry = "lane" | "worker" | "replica";

const SOURCES: Readonly<Record<Entry, string>> = {
  lane: "./lane.child.ts",
  worker: "../traffic/worker.child.ts",
  replica: "../kill-run/replica.child.ts",
};

/**
 * Node's arguments for it. Tests run it as they run all programs. `npm run torture` runs the builds of
 * scripts/lib/programs.mjs, all in one folder.
 */
export function nodeArgs(entry: Entry): string[] {
  if (!import.meta.url.endsWith(".ts")) return [fileURLToPath(new URL(`./${entry}.js`, import.meta.url))];
  return programArgs(new URL(SOURCES[entry], import.meta.url));
}
