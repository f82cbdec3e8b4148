import { createHash } from "node:crypto";
import { isChannelError, parseRunId } from "@ojm/core";
import { present } from "@ojm/core/internal";
import type { ItemInfo, ItemState, QueueReason, QueueSummary } from "@ojm/queue";
import { groupKey } from "@ojm/schedule/operator";
import type {
  DeadGroup,
  QueueDetail,
  QueueItem,
  QueueItemPage,
  QueueItems,
  QueueMinute,
  Queues,
  QueueView,
  ReasonView,
} from "../contract/types.js";
import { type NamesQuery, pageOf } from "./jobs/jobs.js";
import { itemOf, recordOf, shorten } from "./runs/items.js";
import { fitting, mapSome, masked, pick, type Source, take } from "./source.js";

/** The most items in each state that are counted in a list. */
const COUNTED_IN_LIST = 1_000;

/** How many dead letters are read to group them, and how many groups are shown. */
const DEAD = 1_000;
const GROUPS = 50;

/** The most characters of an error. */
const ERROR = 300;

/** The time that the attempts are shown for, in ms. */
const HOUR = 3_600_000;

const STATES: readonly ItemState[] = ["active", "waiting", "delayed", "dead"];

/** Whether a text is the state of an item. */
export const isItemState = (text: string): text is ItemState => STATES.includes(text as ItemState);

/** A page of the queues, by name. */
export async function queuesOf(source: Source, asked: NamesQuery): Promise<Queues> {
  const all = new Map<string, QueueSummary>();
  for await (const queue of source.queues.list()) all.set(queue.name, queue);
  const page = pageOf(all.keys(), asked);
  const shown = page.names.flatMap((name) => all.get(name) ?? []);
  const views = await mapSome(shown, (queue) => viewOf(source, queue, COUNTED_IN_LIST));
  const { items: queues, more } = fitting(views);
  return { at: Date.now(), queues, more: more || page.more };
}

/** The definition and the pause of a queue; `undefined` if the store has no queue of this name. */
export async function summaryOf(source: Source, name: string): Promise<QueueSummary | undefined> {
  return (await queuesIn(source, (one) => one === name))[0];
}

/** The queues of the store whose names meet a condition. */
export async function queuesIn({ queues }: Source, isMeant: (name: string) => boolean): Promise<QueueSummary[]> {
  const found: QueueSummary[] = [];
  try {
    for await (const queue of queues.list()) if (isMeant(queue.name)) found.push(queue);
  } catch (error) {
    // A Redis Cluster without a hash tag has no queues.
    if (!isChannelError(error) || error.code !== "NOT_SUPPORTED") throw error;
  }
  return found;
}

async function viewOf({ queues, mask }: Source, { name, paused }: QueueSummary, most?: number): Promise<QueueView> {
  const pause = paused && masked(pick(paused, "at", "until", "maintenance", "reason", "by"), mask);
  return { name, ...(await queues.counts(name, present({ most }))), ...present({ paused: pause }) };
}

/** A queue; `undefined` if it does not exist. */
export async function queueDetailOf(source: Source, name: string): Promise<QueueDetail | undefined> {
  const summary = await summaryOf(source, name);
  if (summary === undefined) return undefined;
  const view = await viewOf(source, summary);
  const [{ errors, truncated }, attempts, reasons] = await Promise.all([
    errorsOf(source, name),
    attemptsOf(source, name),
    source.queues.why(name, { counts: view }),
  ]);
  const definition = masked({ ...summary.options }, source.mask);
  return { ...view, at: Date.now(), definition, ...attempts, reasons: reasonViews(reasons, source), errors, truncated };
}

/** Why a queue, or an item of it, waits, in the form of the contract. */
export const reasonViews = (all: readonly QueueReason[], { mask }: Source): ReasonView[] =>
  all.map(({ code, text }) => ({ code, text: mask(text) }));

async function attemptsOf(
  { manager }: Source,
  name: string,
): Promise<{ readonly minutes: readonly QueueMinute[] } & Pick<QueueDetail, "missing">> {
  const to = Date.now();
  const { jobs, missing } = await manager.rollups({ names: [name], from: to - HOUR, to, by: "minute" });
  const cells = jobs.flatMap((job) => job.cells);
  return { minutes: cells.map(({ at, runs }) => ({ at, runs })), ...(missing && { missing }) };
}

/**
 * The key of the error of a dead letter. Of the masked error: a hash of a secret could be guessed. Numbers
 * and ids do not count, as in the problems of jobs.
 */
function errorKey({ error = "" }: ItemInfo, mask: Source["mask"]): string {
  const text = mask(error);
  return createHash("sha256")
    .update(groupKey({ kind: "failed", name: "", text }) ?? text)
    .digest("hex")
    .slice(0, 16);
}

/** Returns whether an item has an error of this group. Without a key: all have. */
export function hasErrorOf({ mask }: Source, key: string | undefined): (item: ItemInfo) => boolean {
  return (item) => key === undefined || errorKey(item, mask) === key;
}

async function errorsOf({ queues, mask }: Source, name: string): Promise<Pick<QueueDetail, "errors" | "truncated">> {
  const groups = new Map<string, DeadGroup>();
  const dead = await take(queues.items(name, { state: "dead", limit: DEAD + 1 }), DEAD + 1);
  for (const item of dead.slice(0, DEAD)) {
    const { id, error = "", died = item.added } = item;
    const key = errorKey(item, mask);
    const group = groups.get(key);
    const isNewest = group === undefined || died >= group.last;
    groups.set(key, {
      key,
      count: (group?.count ?? 0) + 1,
      // Mask before cutting: the mask would not recognise half a password.
      error: isNewest ? shorten(mask(error), ERROR) : group.error,
      item: isNewest ? id : group.item,
      first: Math.min(died, group?.first ?? died),
      last: Math.max(died, group?.last ?? died),
    });
  }
  const all = [...groups.values()].sort((a, b) => b.count - a.count || b.last - a.last);
  return { errors: all.slice(0, GROUPS), truncated: dead.length > DEAD || all.length > GROUPS };
}

/** Items of a queue; `undefined` if it does not exist. */
export async function itemsOf(
  source: Source,
  name: string,
  { state, limit }: { readonly state: ItemState | undefined; readonly limit: number },
): Promise<QueueItems | undefined> {
  if ((await summaryOf(source, name)) === undefined) return undefined;
  const found = await take(source.queues.items(name, { ...(state && { state }), limit: limit + 1 }), limit + 1);
  return fitting(
    found.map((item) => queueItemOf(item, source.mask)),
    limit,
  );
}

function queueItemOf(item: ItemInfo, mask: Source["mask"]): QueueItem {
  const { error, group } = item;
  return {
    ...pick(item, "id", "state", "priority", "attempt", "added", "due", "expires", "runs", "died"),
    ...(group !== undefined && { group: mask(group) }),
    ...(error !== undefined && { error: shorten(mask(error), ERROR) }),
  };
}

/** An item and its attempts; `undefined` if it does not exist. */
export async function itemPageOf(source: Source, name: string, id: string): Promise<QueueItemPage | undefined> {
  const { queues, mask, showResults } = source;
  const item = await queues.item(name, id);
  if (item === undefined) return undefined;
  const refs = item.runs.flatMap((run) => parseRunId(run) ?? []);
  const records = await mapSome(refs, (run) => recordOf(source, run));
  const shown = showResults ? masked(pick(item, "data", "meta", "next"), mask) : { dataHidden: true };
  return {
    at: Date.now(),
    item: { ...queueItemOf(item, mask), ...shown },
    reasons: reasonViews(await queues.why(name, { item }), source),
    attempts: records.flatMap((record) => (record === undefined ? [] : [itemOf(record, source)])),
  };
}
