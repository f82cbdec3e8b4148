import type { RunRecord } from "@ojm/core";
import { isOwn } from "@ojm/core/backend";
import type { Status } from "../../contract/common.js";
import type { Runs } from "../../contract/runs.js";
import { fitting, type Source } from "../source.js";
import { itemOf } from "./items.js";

/** The statuses that the store has an index of. */
const INDEXED: ReadonlySet<Status> = new Set(["failed", "timeout", "cancelled", "lost"]);

/** The most records that are looked at for one page. Where most are left out, it is short, and has `more`. */
const MOST_LOOKS = 2_000;

/** So many runs of ojm's own are expected on a page. */
const OWN = 20;

/** Which runs are asked for. */
export interface RunsAsked {
  readonly name?: string;
  readonly status?: readonly Status[];
  readonly from?: number;
  readonly to?: number;
  readonly before?: string;
  readonly limit: number;
}

/** A page of the runs, newest first. */
export async function runsOf(source: Source, asked: RunsAsked): Promise<Runs> {
  const { name, from, to, status, limit } = asked;
  if (status?.length === 1 && status[0] === "running") return running(source, asked);
  const isIndexed = name === undefined && status?.every((one) => INDEXED.has(one)) === true;
  const found: RunRecord[] = [];
  let [looked, last] = [0, asked.before];
  // A store reads as many at once as it is asked for. One more than are shown tells that there are more.
  for (
    let part = limit + 1 + (name === undefined ? OWN : 0);
    part > 0;
    part = Math.min(2 * part, MOST_LOOKS - looked)
  ) {
    const history = source.manager.history({
      ...(name !== undefined && { name }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(last !== undefined && { before: last }),
      ...(isIndexed && { status }),
      limit: part,
    });
    let read = 0;
    for await (const record of history) {
      if (found.length === limit) return page(source, found, last);
      read++;
      last = record.id;
      const fits = status === undefined || status.includes(record.status);
      if (fits && (name !== undefined || !isOwn(record.name))) found.push(record);
    }
    if (read < part) return page(source, found, undefined);
    looked += read;
  }
  return page(source, found, last);
}

function page(source: Source, found: readonly RunRecord[], before: string | undefined): Runs {
  const { items: runs, more } = fitting(found.map((record) => itemOf(record, source)));
  const last = more ? runs.at(-1)?.id : before;
  return last === undefined ? { runs, more: false } : { runs, more: true, before: last };
}

/** Runs that go on are found by their locks: they may have begun days ago. */
async function running(source: Source, { name, from = 0, to, before, limit }: RunsAsked): Promise<Runs> {
  const all = (await source.manager.running())
    .filter((run) => (name === undefined ? !isOwn(run.name) : run.name === name))
    .filter(({ startTime }) => startTime >= from && startTime < (to ?? Number.POSITIVE_INFINITY))
    .sort((a, b) => b.startTime - a.startTime || (a.id < b.id ? 1 : -1));
  const begin = before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1;
  const shown = all.slice(begin, begin + limit);
  return page(source, shown, begin + limit < all.length ? shown.at(-1)?.id : undefined);
}
