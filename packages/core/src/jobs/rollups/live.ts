import type { Channel } from "../../channel/channel.js";
import { historyByName, historyOf } from "../records/history/by-name.js";
import { recordsUnder } from "../records/read.js";
import { recordKeyOf } from "../records/record.js";
import type { RecordRef, TimeIndex } from "../records/time-index.js";
import type { RunRecord } from "../types.js";
import type { Answer } from "./answer.js";
import { openRefs } from "./entries.js";
import { readAhead } from "./fold/read-ahead.js";
import { PAGE, refPages } from "./fold/ref-pages.js";
import type { Asked } from "./options.js";
import type { Rollups } from "./types.js";

/** The most records that a question reads, or among which it looks for those of its names. */
const RECORDS = 5_000;

interface Range {
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Adds the records of a range that no cell tells yet, the newest first. Resolves to the part of the range
 * that it left out: it has more records than one question may read.
 */
export async function addLive(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  range: Range,
  answer: Answer,
): Promise<Rollups["missing"]> {
  let refs = 0;
  const pages = readAhead(refPages(index, { ...range, reverse: true }), async (page) => {
    const wanted = page.filter(({ name }) => answer.wants(name));
    return { page, entries: await recordsUnder(jobs, wanted.map(recordKeyOf)) };
  });
  for await (const { page, entries } of pages) {
    for (const entry of entries) if (entry !== undefined) answer.addRun(entry.value);
    refs += page.length;
    const last = page.at(-1)?.startTime ?? range.from;
    if (refs >= RECORDS && last > range.from) return { from: range.from, to: Math.floor(last) + 1 };
  }
  return undefined;
}

/** Adds the runs of a range that were open when the fold passed them, as they are now. */
export async function addOpen(
  { jobs, times }: { readonly jobs: Channel<RunRecord>; readonly times: Channel<unknown> },
  { signal, ...range }: Range,
  answer: Answer,
): Promise<void> {
  const all = await openRefs(times, { ...range, ...(signal && { signal }) });
  const open = all.filter(({ name }) => answer.wants(name));
  for (let i = 0; i < open.length; i += PAGE) {
    const some = open.slice(i, i + PAGE);
    // Of more runs than one question may read, the fold knew a moment ago that they go on.
    if (i >= RECORDS) for (const ref of some) answer.addRun({ ...ref, status: "running" });
    else await addRecords(jobs, some, answer);
  }
}

async function addRecords(jobs: Channel<RunRecord>, refs: readonly RecordRef[], answer: Answer): Promise<void> {
  for (const entry of await recordsUnder(jobs, refs.map(recordKeyOf)))
    if (entry !== undefined) answer.addRun(entry.value);
}

/** Adds records without an index: there are no rollups then. Reads the newest ones. */
export async function addHistory(
  jobs: Channel<RunRecord>,
  { names, from, to, signal }: Asked,
  answer: Answer,
): Promise<Rollups["missing"]> {
  const range = { from, to, ...(signal && { signal }) };
  const limit = Math.max(1, Math.floor(RECORDS / Math.max(1, names?.size ?? 1)));
  const histories = names
    ? [...names].map((name) => historyOf(jobs, name, { ...range, limit: limit + 1 }))
    : [historyByName(jobs, { ...range, limit: limit + 1 })];
  let end: number | undefined;
  for (const history of histories) {
    let read = 0;
    for await (const record of history) {
      if (++read > limit) end = Math.max(end ?? from, Math.floor(record.startTime) + 1);
      else answer.addRun(record);
    }
  }
  return end === undefined ? undefined : { from, to: end };
}
