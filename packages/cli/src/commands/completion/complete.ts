import type { JobManager } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import type { Given } from "../../command-line/spec.js";
import { spanOption } from "../../command-line/units.js";
import { queueNames } from "../../store/known-names.js";
import { openStore } from "../../store/open.js";

/** How long the process may take in all, with its start, in ms: a user waits at a prompt. */
const LONGEST = 900;

/** How many of the newest runs are searched for names, and how many runs of a name are offered. */
const RECENT = 300;
const RUNS = 50;

/** How many of the newest runs of all names are offered before the user types a name. */
const NEWEST = 10;

/** Prints the names or runs that start with a word, and ends the process, whatever the store does. */
export async function execute(given: Given): Promise<number> {
  const found = new Set<string>();
  const longest = spanOption(given, "within") ?? LONGEST;
  const late = new Promise<void>((resolve) => setTimeout(resolve, longest - performance.now()));
  await Promise.race([collect(given, found).catch(() => {}), late]);
  const lines = [...found].map((word) => `${word}\n`).join("");
  await new Promise((resolve) => process.stdout.write(lines, resolve));
  // Exits explicitly: a store that does not answer would keep the process waiting.
  process.exit(0);
}

async function collect(given: Given, found: Set<string>): Promise<void> {
  const [prefix = ""] = given.behind;
  const manager = await openStore(given);
  const [place] = given.operands;
  const words = place === "RUN" ? runsThatBegin : place === "QUEUE" ? queuesThatBegin : namesThatBegin;
  for await (const word of words(manager, prefix)) found.add(word);
}

async function* queuesThatBegin(manager: JobManager, prefix: string): AsyncGenerator<string, void, undefined> {
  for (const name of await queueNames(manager)) if (isOffered(name, prefix)) yield name;
}

/** The names of jobs and schedules that start with `prefix`. */
export async function* namesThatBegin(manager: JobManager, prefix: string): AsyncGenerator<string, void, undefined> {
  for await (const { name } of manager.history({ limit: RECENT })) if (isOffered(name, prefix)) yield name;
  const { schedulesIn } = await import("@ojm/schedule");
  for await (const { name } of schedulesIn(manager)) if (isOffered(name, prefix)) yield name;
}

/** The runs that start with `prefix`, newest first, and the names of jobs, which mean their last run. */
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

/** Offers no word with control characters or line breaks: it is written into the line of a shell. */
function isOffered(word: string, prefix: string): boolean {
  return word.startsWith(prefix) && word !== "" && visible(word) === word;
}
