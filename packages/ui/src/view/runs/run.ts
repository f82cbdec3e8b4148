import { parseRunId, type RunRecord } from "@ojm/core";
import { hasEnded, present, startAfter } from "@ojm/core/internal";
import { retriesOf, UNATTENDED } from "@ojm/schedule/operator";
import type { RunDetail, RunItem, RunPage } from "../../contract/types.js";
import { reasonsOf } from "../jobs/why.js";
import { progressOf } from "../now/now.js";
import { masked, type Source, statesIn, take } from "../source.js";
import { holderOf, itemOf, recordOf, retryOf, stopRequestOf } from "./items.js";

/** How many runs are searched for the attempts of a retry series, and for the last completed one. */
const LOOKS = 300;

/** A run and everything that belongs to it; `undefined` if it does not exist. */
export async function runOf(source: Source, id: string): Promise<RunPage | undefined> {
  const ref = parseRunId(id);
  const record = ref && (await recordOf(source, ref));
  if (record === undefined) return undefined;
  const { mask, manager } = source;
  const [attempts, asked, next, lastWell, [newest], lines, progress, job] = await Promise.all([
    attemptsOf(source, record),
    // A run that an unlock ended, or that completed, may have been asked to stop before.
    record.endedBy?.action === "cancel" ? undefined : manager.stopRequest(record),
    nextOf(source, record),
    lastWellOf(source, record),
    take(manager.history({ name: record.name, limit: 1 }), 1),
    linesOf(source, record),
    manager.progress(record),
    jobOf(source, record),
  ]);
  const isNewest = newest?.id === record.id;
  return {
    run: detailOf(source, record),
    attempts,
    ...(asked && { stopRequest: stopRequestOf(asked, mask) }),
    ...(next && { next }),
    ...(lastWell && { lastWell }),
    ...(isNewest ? undefined : newest && { newest: itemOf(newest, source) }),
    // Older runs are history.
    why: isNewest ? await reasonsOf(source, record.name) : [],
    log: { ...(lines !== undefined && { lines }), ended: hasEnded(record) },
    ...(progress && { progress: progressOf(progress, mask) }),
    job,
  };
}

/** How a field of a record is shown, if at all. It must handle any content: other programs write records. */
type Shown<T> = (value: T, source: Pick<Source, "mask" | "showResults">) => T | undefined;

const plain = <T>(value: T): T => value;
const text: Shown<string> = (value, { mask }) => mask(String(value));
const result = <T>(value: T, { mask, showResults }: Pick<Source, "mask" | "showResults">): T | undefined =>
  showResults ? masked(value, mask) : undefined;

/** The fields of a record that may be shown. No others are: any program can write more into a store. */
const FIELDS: { readonly [Field in keyof RunRecord]-?: Shown<NonNullable<RunRecord[Field]>> } = {
  name: plain,
  startTime: plain,
  startDate: plain,
  id: plain,
  status: plain,
  holder: holderOf,
  trigger: text,
  timeout: plain,
  lock: plain,
  permits: plain,
  rate: plain,
  versions: ({ ojm, node }) => ({ ojm, node }),
  schedule: plain,
  tick: plain,
  delay: plain,
  attempt: plain,
  chain: plain,
  retry: ({ attempts, delay, backoff, maxDelay, onLost }) => ({ attempts, delay, backoff, maxDelay, onLost }),
  args: result,
  meta: result,
  fence: plain,
  endTime: plain,
  endDate: plain,
  duration: plain,
  inError: plain,
  error: text,
  stack: text,
  endedBy: ({ action, by, author, reason }, { mask }) => ({
    action,
    by: holderOf(by),
    ...(author !== undefined && { author: mask(author) }),
    reason: mask(reason),
  }),
  handedOver: plain,
  exit: ({ code, signal }, { mask }) => present({ code, signal: signal === undefined ? undefined : mask(signal) }),
  result,
};

function detailOf(source: Source, record: RunRecord): RunDetail {
  const shown = Object.entries(FIELDS).flatMap(([field, show]) => {
    const value = record[field as keyof RunRecord];
    const seen = value === undefined ? undefined : (show as Shown<unknown>)(value, source);
    return seen === undefined ? [] : [[field, seen]];
  });
  const isHidden = !source.showResults && record.result !== undefined;
  return { ...(Object.fromEntries(shown) as RunRecord), ...(isHidden && { resultHidden: true }) };
}

async function jobOf({ hub }: Source, { name }: RunRecord): Promise<RunPage["job"]> {
  const store = await hub.store();
  const state = statesIn(store)(name);
  return {
    scheduled: state !== undefined,
    ...(state?.unattended && { unattended: UNATTENDED[state.unattended].one }),
    ...(store.runs.holds().has(name) && { held: true as const }),
  };
}

async function attemptsOf(source: Source, record: RunRecord): Promise<RunItem[]> {
  const { name, startTime, id, chain, retry } = record;
  const first = chain === undefined ? { name, startTime } : parseRunId(chain);
  if (first === undefined || (chain === undefined && retry === undefined)) return [];
  const most = retry?.attempts ?? 1;
  const { manager } = source;
  const limit = LOOKS;
  const earlier = await take(manager.history({ name, from: first.startTime, to: startTime, limit }), limit);
  const later =
    most === (record.attempt ?? 1)
      ? []
      : await take(manager.history({ name, from: startAfter(startTime), limit }), limit);
  return [...later, record, ...earlier]
    .filter((one) => one.id === (chain ?? id) || one.chain === (chain ?? id))
    .map((one) => itemOf(one, source))
    .reverse();
}

/** The pending attempt of the retry series of a run. */
async function nextOf({ manager, mask }: Source, { name, id, chain = id, retry }: RunRecord): Promise<RunPage["next"]> {
  // Only a job with `retry` has attempts.
  if (retry === undefined) return undefined;
  const retries = (await manager.retries(name)).filter((one) => one.chain === chain);
  const [found] = await retriesOf(manager, retries);
  return found && retryOf(found, mask);
}

async function lastWellOf(source: Source, { name, startTime: to }: RunRecord): Promise<RunItem | undefined> {
  // Usually it is the run before. A store reads as many records at once as requested.
  for (const limit of [3, LOOKS]) {
    for await (const record of source.manager.history({ name, to, limit })) {
      if (record.status === "completed") return itemOf(record, source);
    }
  }
  return undefined;
}

async function linesOf({ manager }: Source, record: RunRecord): Promise<number | undefined> {
  let lines: number | undefined;
  for await (const item of manager.log(record, { tail: 1 })) if ("line" in item) lines = item.line;
  return lines;
}
