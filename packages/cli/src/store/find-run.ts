import { type JobManager, parseRunId, type RunRecord } from "@ojm/core";
import { startAfter } from "@ojm/core/internal";
import { notFound } from "../errors.js";
import { isKnown, knownNames, listed, meant } from "./known-names.js";

/** How many of the last runs are searched for names. */
const RECENT = 1_000;

/** The run that a word means: the id of a run, the beginning of one, or a name for its last run. */
export async function findRun(manager: JobManager, word: string): Promise<RunRecord> {
  for await (const record of manager.history({ name: word, limit: 1 })) return record;
  const at = word.lastIndexOf("@");
  if (at > 0) {
    const found = await runsThatBegin(manager, word, word.slice(0, at));
    const [one, ...more] = found;
    if (one !== undefined && more.length === 0) return one;
    if (one !== undefined) {
      const ids = found.map(({ id }) => id).slice(0, 5);
      throw notFound(
        `"${word}" is the beginning of ${found.length} runs: ${ids.join(", ")}${found.length > 5 ? ", …" : ""}`,
      );
    }
  }
  throw notFound(
    await neverRan(manager, at > 0 ? word.slice(0, at) : word, at > 0 ? `there is no run "${word}".` : undefined),
  );
}

async function runsThatBegin(manager: JobManager, word: string, name: string): Promise<RunRecord[]> {
  const exact = parseRunId(word);
  const found: RunRecord[] = [];
  const range = exact === undefined ? { limit: RECENT } : { from: exact.startTime, to: startAfter(exact.startTime) };
  for await (const record of manager.history({ name, ...range })) if (record.id.startsWith(word)) found.push(record);
  return found;
}

/** A message about a name without runs: the names with runs and, if it may be misspelt, the nearest name. */
export async function neverRan(
  manager: JobManager,
  name: string,
  first: string = `"${name}" never ran.`,
): Promise<string> {
  const names = new Set<string>();
  for await (const run of manager.history({ limit: RECENT })) names.add(run.name);
  if (names.has(name)) return first;
  const others = names.size === 0 ? " No other name has runs." : ` Names that have runs: ${listed(names)}.`;
  const near = (await isKnown(manager, name)) ? "" : await meant(name, await knownNames(manager));
  return `${first}${near}${others}`;
}
