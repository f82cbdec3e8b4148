import type { JobManager } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import type { Given } from "../../command-line/spec.js";
import { spanOption } from "../../command-line/units.js";
import { openStore } from "../../store/open.js";

/** How long the process may take in all, with its start, in ms: somebody waits at a prompt. */
const LONGEST = 900;

/** How many of the newest runs are looked at for names, and how many runs of a name are offered. */
const RECENT = 300;
const RUNS = 50;

/** How many of the newest runs of all names are offered before a name is written. */
const NEWEST = 10;

/** Prints the names or runs that begin with a word, and ends the process, whatever the store does. */
export async function execute(given: Given): Promise<number> {
  const found = new Set<string>();
  const longest = spanOption(given, "within") ?? LONGEST;
  const late = new Promise<void>((resolve) => setTimeout(resolve, longest - performance.now()));
  await Promise.race([collect(given, found).catch(() => {}), late]);
  const lines = [...found].map((word) => `${word}\n`).join("");
  await new Promise((resolve) => process.stdout.write(lines, resolve));
  // Not by letting the program run out: a store that is away is waited for.
  process.exit(0);
}

async function collect(given: Given, found: Set<string>): Promise<void> {
  const [prefix = ""] = given.behind;
  const manager = await openStore(given);
  const words = given.operands[0] === "RUN" ? runsThatBegin(manager, prefix) : namesThatBegin(manager, prefix);
  for await (const word of words) found.add(word);
}

/** The names of jobs and schedules that begin with `prefix`. */
export async function* namesThatBegin(manager: JobManager, prefix: string): AsyncGenerator<string, void, undefined> {
  for await (const { name } of manager.history({ limit: RECENT })) if (isOffered(name, prefix)) yield name;
  const { schedulesIn } = await import("@ojm/schedule");
  for await (const { name } of schedulesIn(manager)) if (isOffered(name, prefix)) yield name;
}

/** The runs that begin with `prefix`, newest first, and the names of jobs, which mean their last run. */
export async function* runsThatBegin(manager: JobManager, prefix: string): AsyncGenerator<string, void, undefined> {
  const at = prefix.lastIndexOf("@");
  if (at > 0) {
    for await (const { id } of manager.history({ name: prefix.slice(0, at), limit: RUNS }))
      if (isOffered(id, prefix)) yield id;
    return;
  }
  let left = NEWEST;
  for await (const { name, id } of manager.history({ limit: RECENT })) {
    if (isOffered(name, prefix)) yield name;
    if (left > 0 && isOffered(id, prefix)) {
      left--;
      yield id;
    }
  }
}

/** A name that a terminal would obey, or that is no line, is not written into the line of a shell. */
function isOffered(word: string, prefix: string): boolean {
  return word.startsWith(prefix) && word !== "" && visible(word) === word;
}
