import { fileURLToPath } from "node:url";

/** What a child process of the harness runs. */
export type Entry = "lane" | "worker" | "replica";

const SOURCES: Readonly<Record<Entry, string>> = {
  lane: "./lane.child.ts",
  worker: "../traffic/worker.child.ts",
  replica: "../kill-run/replica.child.ts",
};

/**
 * Node's arguments for it. Tests run it from the sources. `npm run torture` runs what scripts/lib/torture.mjs
 * has built, all in one folder.
 */
export function nodeArgs(entry: Entry): string[] {
  const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  if (!import.meta.url.endsWith(".ts")) return [path(`./${entry}.js`)];
  return ["--import", "tsx", "--conditions=@ojm/source", path(SOURCES[entry])];
}
