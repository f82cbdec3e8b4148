import type { Channel, ChannelOps } from "../channel/channel.js";
import { unlessCorrupt } from "../channel/corrupt.js";
import type { CallOptions, Key } from "../channel/types.js";
import { type AuditValue, auditKey, type LocksValue } from "../locks/entries/schema.js";
import { holdOf, isAudit } from "../locks/entries/valid.js";
import type { Holder } from "../locks/types.js";
import type { Clock } from "../util/clock.js";
import type { InMs } from "../util/duration.js";
import { fieldsOf, isTime } from "../util/shape.js";
import { runIdOf } from "./records/orphans.js";
import type { AuditAction, AuditEntry, AuditOptions, PruneOptions, RunRecord } from "./types.js";

/** The most entries that one commit deletes. */
const DELETED_AT_ONCE = 100;

/** How far the clock of a canceller may be behind that of the run, in ms. */
const SKEW = 3_600_000;

interface Place {
  readonly key: Key;
  readonly name: string;
  readonly at: number;
}

/** The ops that record an action. */
export function auditOps(channel: Channel<LocksValue>, clock: Clock, act: AuditAction): ChannelOps<LocksValue> {
  const at = clock.now();
  // List the fields: further fields of an action would stay in the store forever.
  const { action, name, reason, by, author, details } = act;
  const value: AuditValue = {
    name,
    at,
    action,
    by,
    ...(reason !== undefined && { reason }),
    ...(author !== undefined && { author }),
    ...(details !== undefined && { details }),
  };
  return { channel, ops: [{ put: auditKey(name, at, clock.random(12)), value }] };
}

/** The entries of the audit, newest first. */
export async function* auditOf(
  channel: Channel<LocksValue>,
  { name, signal }: AuditOptions,
): AsyncGenerator<AuditEntry, void, undefined> {
  const options = signal === undefined ? {} : { signal };
  const places: Place[] = [];
  for await (const place of placesOf(channel, name, options)) places.push(place);
  places.sort((a, b) => b.at - a.at);
  for (const { key } of places) {
    const value = (await unlessCorrupt(channel.entry(key, options)))?.value;
    if (isAudit(value)) yield entryOf(value);
  }
}

/** The cancel that ended a retry series between two attempts; `undefined` if there was none. */
export async function cancelOf(
  channel: Channel<LocksValue>,
  name: string,
  chain: string,
): Promise<AuditEntry | undefined> {
  for await (const entry of auditOf(channel, { name }))
    if (entry.action === "cancel" && fieldsOf<{ chain: string }>(entry.details)?.chain === chain) return entry;
  return undefined;
}

/** Up to this many names, the audit of each is read. Above that, the keys of the whole audit. */
const NAMES_READ_ALONE = 8;

/**
 * The last cancel of each of these runs, by the id of the run. Runs without a cancel are left out. The
 * request itself is gone from the store once the process of the run has it, whether or not the run obeys.
 */
export async function stopRequestsOf(
  channel: Channel<LocksValue>,
  runs: Iterable<Pick<RunRecord, "id" | "name" | "startTime">>,
): Promise<Map<string, AuditEntry>> {
  const ids = new Set<string>();
  const since = new Map<string, number>();
  for (const { id, name, startTime } of runs) {
    ids.add(id);
    since.set(name, Math.min(since.get(name) ?? Number.POSITIVE_INFINITY, startTime - SKEW));
  }
  const places: Place[] = [];
  for (const name of since.size > NAMES_READ_ALONE ? [undefined] : since.keys())
    for await (const place of placesOf(channel, name, {}))
      if (place.at >= (since.get(place.name) ?? Number.POSITIVE_INFINITY)) places.push(place);
  const asked = new Map<string, AuditEntry>();
  for (const { key } of places.sort((a, b) => b.at - a.at)) {
    const value = (await unlessCorrupt(channel.entry(key)))?.value;
    if (!isAudit(value)) continue;
    const entry = entryOf(value);
    const { action, run } = entry;
    if (action === "cancel" && run !== undefined && ids.has(run) && !asked.has(run)) asked.set(run, entry);
  }
  return asked;
}

/** The last cancel of a run; `undefined` if there was none. */
export async function stopRequestOf(
  channel: Channel<LocksValue>,
  run: Pick<RunRecord, "id" | "name" | "startTime">,
): Promise<AuditEntry | undefined> {
  return (await stopRequestsOf(channel, [run])).get(run.id);
}

/** The audit record of a prune by a person. */
export function pruneAct(
  { olderThan, name = "*", keep, author }: InMs<PruneOptions>,
  counts: { readonly removed: number; readonly audits: number },
  by: Holder,
): AuditAction {
  const details = { olderThan, ...(keep !== undefined && { keep }), ...counts };
  return { action: "prune", name, by, ...(author !== undefined && { author }), details };
}

/** Deletes audit entries that are older than `olderThan` ms. Resolves to their number. */
export async function pruneAudit(
  channel: Channel<LocksValue>,
  now: number,
  { olderThan, name, keep = 0, signal }: InMs<PruneOptions>,
): Promise<number> {
  const options = signal === undefined ? {} : { signal };
  const most = Math.min(DELETED_AT_ONCE, channel.supports.maxOps);
  let old: Key[] = [];
  let removed = 0;
  const flush = async (): Promise<void> => {
    await channel.commit(
      old.map((key) => ({ delete: key })),
      options,
    );
    removed += old.length;
    old = [];
  };
  const newer = new Map<string, number>();
  for await (const place of placesOf(channel, name, options)) {
    const before = newer.get(place.name) ?? 0;
    newer.set(place.name, before + 1);
    if (before < keep || place.at >= now - olderThan) continue;
    old.push(place.key);
    if (old.length === most) await flush();
  }
  if (old.length > 0) await flush();
  return removed;
}

/** The places of all audit entries, newest first for each name. */
async function* placesOf(
  channel: Channel<LocksValue>,
  name: string | undefined,
  options: CallOptions,
): AsyncGenerator<Place, void, undefined> {
  const prefix = name === undefined ? ["audit"] : ["audit", name];
  for await (const { key } of channel.keys({ prefix, reverse: true, ...options })) {
    const [, of, at] = key as readonly unknown[];
    if (typeof of === "string" && isTime(at)) yield { key, name: of, at };
  }
}

function entryOf({ action = "unlock", lock, holder = lock?.holder, ...value }: AuditValue): AuditEntry {
  const run = value.run ?? (lock && runIdOf(lock));
  // The end of a hold takes nothing from a process: reported as an unlock, it would alarm readers.
  const done = action === "unlock" && lock !== undefined && holdOf(lock) !== undefined ? "end-hold" : action;
  return { ...value, action: done, ...(holder !== undefined && { holder }), ...(run !== undefined && { run }) };
}
