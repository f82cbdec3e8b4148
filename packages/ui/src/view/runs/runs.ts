import type { RunRecord } from "@ojm/core";
import { present } from "@ojm/core/internal";
import type { Runs, Status } from "../../contract/types.js";
import { finds, hasText, meantBy, type NamesQuery, type RangeQuery } from "../jobs/jobs.js";
import { fitting, type Source } from "../source.js";
import { itemOf } from "./items.js";

/** The statuses that the store indexes. */
const INDEXED: ReadonlySet<Status> = new Set(["failed", "timeout", "cancelled", "lost"]);

/** The most records that are read for one page. If a filter leaves few, it is short and has `more`. */
const MAX_READ = 2_000;

/** How many runs of ojm itself are expected on a page. */
const OWN = 20;

/** Up to this many names, the history is read name by name: a name may have few runs among all runs. */
const MAX_NAMES = 100;

/** The filter of the runs. */
export interface RunsQuery extends RangeQuery, Pick<NamesQuery, "q" | "limit"> {
  readonly name?: string | undefined;
  readonly status?: readonly Status[] | undefined;
  /** A text that the name of the host contains, or a pattern of it with `*`. */
  readonly host?: string | undefined;
  /** The id of the run after which the page starts. */
  readonly before?: string | undefined;
}

/** A page of the runs, newest first. */
export async function runsOf(source: Source, asked: RunsQuery): Promise<Runs> {
  const runs = await pageOf(source, asked);
  if (runs.runs.length > 0 || runs.more || asked.before !== undefined) return runs;
  return { ...runs, ...(await meantBy(source, asked)) };
}

async function pageOf(source: Source, asked: RunsQuery): Promise<Runs> {
  const { name, q, from, to, status, limit } = asked;
  const [isCalled, isThere] = [name === undefined ? hasText(q) : (one: string) => one === name, finds(asked.host)];
  const isAsked = (run: Pick<RunRecord, "name" | "holder">): boolean => isCalled(run.name) && isThere(run.holder.host);
  if (status?.length === 1 && status[0] === "running") return running(source, asked, isAsked);
  const names = q === undefined ? [] : [...(await source.hub.names())].filter(isCalled);
  const of = name ?? (q === undefined || names.length > MAX_NAMES ? undefined : names);
  const isIndexed = of === undefined && status?.every((one) => INDEXED.has(one)) === true;
  const found: RunRecord[] = [];
  let [total, last] = [0, asked.before];
  // A store reads as many records at once as requested. One more than shown reveals whether there are more.
  for (let part = limit + 1 + (of === undefined ? OWN : 0); part > 0; part = Math.min(2 * part, MAX_READ - total)) {
    const history = source.manager.history({
      ...present({ name: of, from, to, before: last }),
      ...(isIndexed && { status }),
      limit: part,
    });
    let read = 0;
    for await (const record of history) {
      if (found.length === limit) return page(source, found, last);
      read++;
      last = record.id;
      const fits = status === undefined || status.includes(record.status);
      if (fits && isAsked(record)) found.push(record);
    }
    if (read < part) return page(source, found, undefined);
    total += read;
  }
  return page(source, found, last);
}

function page(source: Source, found: readonly RunRecord[], before: string | undefined): Runs {
  const { items: runs, more } = fitting(found.map((record) => itemOf(record, source)));
  const last = more ? runs.at(-1)?.id : before;
  return last === undefined ? { runs, more: false } : { runs, more: true, before: last };
}

/** Running runs are found by their locks: they may have started days ago. */
async function running(
  source: Source,
  { from = 0, to, before, limit }: RunsQuery,
  isAsked: (run: Pick<RunRecord, "name" | "holder">) => boolean,
): Promise<Runs> {
  const all = (await source.hub.store()).runs
    .runs()
    .filter(isAsked)
    .filter(({ startTime }) => startTime >= from && startTime < (to ?? Number.POSITIVE_INFINITY))
    .sort((a, b) => b.startTime - a.startTime || (a.id < b.id ? 1 : -1));
  const begin = before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1;
  const shown = all.slice(begin, begin + limit);
  return page(source, shown, begin + limit < all.length ? shown.at(-1)?.id : undefined);
}
