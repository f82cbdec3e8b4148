import type { Channel, JobManager, Key } from "@ojm/core";
import { processIdentity, unlessCorrupt, visible } from "@ojm/core/internal";

/** The key of the note about refused starts of a name: a run that did not start has no record. */
const refusalsKey = (name: string): Key => ["exec-refused", name];

/** How long a note lives, in ms: 30 days. */
const NOTE_TTL = 30 * 86_400_000;

/** The maximum number of times in a note: enough for more than an hour of starts by cron, one a minute. */
const TIMES_LIMIT = 100;

/** How many times to try a write that conflicts with those of other processes. */
const TRIES = 10;

/**
 * The starts of a name by `ojm exec` that its lock, or the command of a killed ojm, prevented. Times are in
 * ms since 1970.
 */
interface Refusals {
  /** The times of the refused starts, the newest last. */
  readonly times: readonly number[];
  /** The host of the last one, and the reason. */
  readonly host: string;
  readonly pid: number;
  readonly why: string;
  /** The run whose command outlived its ojm, and which a start with --quiet-if-locked has reported. */
  readonly reported?: string;
}

/** Notes a refused start: without the note, nothing would explain later why the command did not run. */
export async function noteRefusal(manager: JobManager, name: string, why: string): Promise<void> {
  await changeNote(manager, name, ({ times, ...note }) => {
    return { ...note, ...processOf(), why, times: [...times, Date.now()].slice(-TIMES_LIMIT) };
  });
}

/**
 * Marks the command of a run, which outlived its ojm, as reported. Resolves to `false` if it was reported
 * before.
 */
export async function markReported(manager: JobManager, name: string, run: string): Promise<boolean> {
  let isFirst = true;
  await changeNote(manager, name, (note) => {
    isFirst = note.reported !== run;
    return isFirst ? { ...note, reported: run } : undefined;
  });
  return isFirst;
}

/** Replaces the note of a name by the result of `change`, unless that is `undefined`. */
async function changeNote(
  manager: JobManager,
  name: string,
  change: (note: Refusals) => Refusals | undefined,
): Promise<void> {
  const locks = channelOf(manager);
  const key = refusalsKey(name);
  for (let tries = 0; tries < TRIES; tries++) {
    const entry = await unlessCorrupt(locks.entry(key));
    const note = change(isRefusals(entry?.value) ? entry.value : { times: [], ...processOf(), why: "" });
    if (note === undefined) return;
    const { ok } = await locks.compareAndSet(key, entry?.version ?? null, note, { ttl: NOTE_TTL });
    if (ok) return;
  }
}

function processOf(): Pick<Refusals, "host" | "pid"> {
  const { host, pid } = processIdentity();
  return { host, pid };
}

/** The refused starts since the last run of a name started, as text; `undefined` if there are none. */
export async function sayRefusals(manager: JobManager, name: string): Promise<string | undefined> {
  const found = await unlessCorrupt(channelOf(manager).get(refusalsKey(name)));
  if (!isRefusals(found)) return undefined;
  const { times, host, pid, why } = found;
  let since = 0;
  for await (const { startTime } of manager.history({ name, limit: 1 })) since = startTime;
  const [first, ...others] = times.filter((at) => at > since);
  const last = others.at(-1) ?? first;
  if (first === undefined || last === undefined) return undefined;
  const how =
    others.length === 0
      ? `a start by ojm exec was refused at ${iso(last)}`
      : `${others.length + 1} starts by ojm exec were refused since ${iso(first)}, the last at ${iso(last)}`;
  return `${how}, on ${visible(host)}, pid ${pid}: ${visible(why)}`;
}

function channelOf(manager: JobManager): Channel<Refusals> {
  return manager.channels.locks as Channel<unknown> as Channel<Refusals>;
}

/** Whether a value is such a note. Any program can write to a store. */
export function isRefusals(value: unknown): value is Refusals {
  const { times, host, pid, why } = (value ?? {}) as { readonly [field: string]: unknown };
  const isTimes = Array.isArray(times) && times.every((at) => Number.isSafeInteger(at) && Math.abs(at) <= 8.64e15);
  return isTimes && typeof host === "string" && typeof pid === "number" && typeof why === "string";
}

const iso = (at: number): string => new Date(at).toISOString();
