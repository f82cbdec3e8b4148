import { fileURLToPath } from "node:url";

/** What a process of its own runs. */
export type Entry = "lane" | "worker";

const SOURCES: Readonly<Record<Entry, string>> = { lane: "./lane.child.ts", worker: "../traffic/worker.child.ts" };

/**
 * What Node is started with for it: in tests from the sources, in `npm run torture` as
 * scripts/lib/torture.mjs has built it, all in one folder.
 */
export function nodeArgs(entry: Entry): string[] {
  const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  if (!import.meta.url.endsWith(".ts")) return [path(`./${entry}.js`)];
  return ["--import", "tsx", "--conditions=@ojm/source", path(SOURCES[entry])];
}
