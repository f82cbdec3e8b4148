import type { HistoryOptions, JobManager, RunRecord } from "@ojm/core";
import { isOwn, startMs } from "@ojm/core/internal";
import type { Given } from "../../../command-line/spec.js";
import { colorOf } from "../../../output/color.js";
import { type Column, itemsText, tellMore } from "../../../output/items.js";
import { printError, wantsJson } from "../../../output/print.js";
import { type SayTime, sayTime } from "../../../output/times.js";

/** Why a run did not complete, and the failures of steps that did not end it. */
export function trouble({ error, result }: RunRecord): string {
  const { warnings = [] } = (result ?? {}) as { readonly warnings?: unknown };
  // The result that a program sets may also have a field `warnings`, with values of another type.
  const texts = Array.isArray(warnings) ? warnings.filter((one) => typeof one === "string") : [];
  const heading = texts.length === 1 ? "warning: " : `${texts.length} warnings: `;
  return [error ?? [], texts.length === 0 ? [] : `${heading}${texts.join("; ")}`].flat().join("; ");
}

/** The most runs that are read: a job that fails each second must not delay the answer. */
const RUNS_READ_LIMIT = 10_000;

/** The newest matching run of a name. */
export interface NewestRun extends RunRecord {
  /** How many matching runs the name has. */
  readonly count: number;
  /** When the first of them started. */
  readonly first: number;
  /** The newest run of the name, if it does not match. */
  readonly last?: Pick<RunRecord, "id" | "status" | "startTime">;
}

/** Each name once, with the number of its runs: a job that fails each minute does not hide others. */
export async function byNameText(
  given: Given,
  manager: JobManager,
  { limit, ...asked }: HistoryOptions & { readonly limit: number },
): Promise<string> {
  const found = new Map<string, NewestRun>();
  let read = 0;
  for await (const run of manager.history({ ...asked, limit: RUNS_READ_LIMIT })) {
    read++;
    if (asked.name === undefined && isOwn(run.name)) continue;
    const newest = found.get(run.name) ?? { ...run, count: 0 };
    found.set(run.name, { ...newest, count: newest.count + 1, first: startMs(run.startTime) });
  }
  const all = [...found.values()];
  if (read === RUNS_READ_LIMIT && !wantsJson(given))
    printError(`These are the names of the newest ${RUNS_READ_LIMIT} runs: --since asks for fewer`);
  tellMore(given, all.length > limit, limit);
  const shown = await Promise.all(all.slice(0, limit).map((newest) => withLast(manager, newest)));
  return itemsText(given, shown, columns(sayTime(given), shown), "no such runs");
}

/** Adds the last run: it shows whether a job that failed has run well since. */
async function withLast(manager: JobManager, newest: NewestRun): Promise<NewestRun> {
  for await (const { id, status, startTime } of manager.history({ name: newest.name, limit: 1 }))
    if (id !== newest.id) return { ...newest, last: { id, status, startTime } };
  return newest;
}

function columns(say: SayTime, shown: readonly NewestRun[]): Column<NewestRun>[] {
  const ofLast: Column<NewestRun> = {
    title: "SINCE",
    rank: 1.5,
    cell: ({ last }) => last?.status,
    color: ({ last }) => colorOf(last?.status),
  };
  return [
    { title: "NAME", cut: "name", cell: ({ name }) => name },
    { title: "RUNS", rank: 2, cell: ({ count }) => String(count) },
    { title: "FIRST", rank: 5, cell: ({ first }) => say(first) },
    { title: "LAST", rank: 4, cell: ({ startTime }) => say(startTime) },
    { title: "STATUS", rank: 1, cell: ({ status }) => status, color: ({ status }) => colorOf(status) },
    ...(shown.some(({ last }) => last !== undefined) ? [ofLast] : []),
    { title: "ERROR OR WARNING", rank: 3, cut: "text", cell: trouble },
  ];
}
