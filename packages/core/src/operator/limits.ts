import type { Channel } from "../channel/channel.js";
import { readable } from "../channel/corrupt.js";
import type { Op } from "../channel/types.js";
import { auditOps } from "../jobs/audit.js";
import { refusing } from "../jobs/errors.js";
import { permitProblem, permitsProblem, rateProblem } from "../jobs/options.js";
import type { RunContext } from "../jobs/run/context.js";
import { permitKey } from "../jobs/run/permit-entries.js";
import { type LineNote, lineOf, type PermitContext, readPermit, type Taking } from "../jobs/run/permits.js";
import { lineOfRate } from "../jobs/run/rates.js";
import type { LimitOptions, LimitWaiter, PermitView } from "../jobs/types.js";
import { type LocksValue, type LockValue, lockKey, type QueueValue, type Ticket } from "../locks/entries/schema.js";
import { type Fields, fieldsOf, isText, isTime, present } from "../util/shape.js";

type Source = Pick<PermitContext, "locks" | "lockChannel">;

/** The lines of permits, of sets of permits, and of rates: locks with reserved names, next to each other. */
const LINES = { after: lockKey("ojm permit"), before: lockKey("ojm rate~") } as const;

/** A place in a line, as its entry shows it. */
interface Place {
  readonly line: string;
  /** Whether it is the first in line. */
  readonly isFirst: boolean;
  readonly since: number | undefined;
  /** The run that has it, and more runs of its process that wait for the same. */
  readonly names: readonly string[];
  readonly note: Fields<LineNote>;
}

/** All places in the lines, in the order of each line. Reads the entries of the lines alone. */
async function* places({ lockChannel }: Pick<Source, "lockChannel">): AsyncGenerator<Place, void, undefined> {
  for await (const { key, value } of readable(lockChannel, LINES)) {
    const [, line] = key as readonly string[];
    const { waiting } = fieldsOf<LockValue & QueueValue>(value) ?? {};
    for (const one of Array.isArray(waiting) ? waiting : [value]) {
      const { since, note: noted } = fieldsOf<Ticket>(one) ?? {};
      const note = fieldsOf<LineNote>(noted) ?? {};
      const names = [note.for, ...(Array.isArray(note.more) ? note.more : [])].filter(isText);
      yield { line: line ?? "", isFirst: waiting === undefined, since: isTime(since) ? since : undefined, names, note };
    }
  }
}

/**
 * The permits and the rate of a run that waits for one of them. Only the first run of a name needs this: for
 * others, the last record has them.
 */
export async function awaitedBy(source: Source, name: string): Promise<Taking> {
  for await (const { names, note } of places(source)) if (names.includes(name)) return takingOf(note);
  return {};
}

function takingOf({ permits, rate }: Fields<LineNote>): Taking {
  return {
    ...(permitsProblem(permits) === undefined && { permits: permits as NonNullable<Taking["permits"]> }),
    ...(rateProblem(rate) === undefined && { rate: rate as NonNullable<Taking["rate"]> }),
  };
}

/** The runs that wait for permits and rates, line by line. */
export async function limitWaiters(source: Source): Promise<LimitWaiter[]> {
  const found: LimitWaiter[] = [];
  for await (const { line, isFirst, since, names, note } of places(source)) {
    const { permits = {}, rate } = takingOf(note);
    const all = Object.keys(permits);
    const one = all.find((name) => lineOf(name) === line);
    const ofRate = rate && { rate: rate.name };
    const isSet = one === undefined && (rate === undefined || lineOfRate(rate.name) !== line);
    // The first run of a set waits in the line of one of its permits, too.
    if (isSet && (isFirst || all.length === 0)) continue;
    const waitsFor = isSet ? { permits: all, ...ofRate } : one === undefined ? ofRate : { permits: [one] };
    // The notes do not say since when the other runs of the process wait.
    for (const [i, name] of names.entries()) found.push({ name, ...waitsFor, ...(i === 0 && present({ since })) });
  }
  return found;
}

/** Sets the limit of a permit; `undefined`: the numbers of the runs count again. */
export async function setLimit(
  { locks, lockChannel, clock }: RunContext,
  name: string,
  limit: number | undefined,
  { reason, author }: LimitOptions,
): Promise<void> {
  const problem = permitProblem(name, limit ?? 0, 0);
  if (problem !== undefined) refusing(String(name))(problem);
  for (const text of [reason, author])
    if (text !== undefined && !isText(text)) refusing(name)("reason and author of a limit are texts");
  const key = permitKey(name);
  const ops: Op<unknown>[] = [limit === undefined ? { delete: key } : { put: key, value: { limit } }];
  if (reason !== undefined || author !== undefined) {
    const details = limit === undefined ? undefined : { limit };
    const by = await locks.operator.holder();
    const act = { action: "limit", name, by, ...present({ reason, author, details }) };
    ops.push(...auditOps(lockChannel as Channel<LocksValue>, clock, act).ops);
  }
  await lockChannel.commit(ops);
}

/** The permits that have a limit, a holder or a waiter, by name. */
export async function permitsIn(source: Source): Promise<PermitView[]> {
  const waiting = new Map<string, number>();
  for (const { permits = [] } of await limitWaiters(source))
    for (const name of permits) waiting.set(name, (waiting.get(name) ?? 0) + 1);
  const names = new Set(waiting.keys());
  for await (const { key } of readable(source.lockChannel, { prefix: ["permit"] })) {
    const [, name] = key as readonly unknown[];
    if (isText(name)) names.add(name);
  }
  const found: PermitView[] = [];
  for (const name of [...names].sort()) {
    const { limit, limitVersion, holders } = await readPermit(source, name, undefined);
    const runs = holders.flatMap((one) => (one === undefined ? [] : [one.run]));
    const counts = { held: holders.length, runs, waiting: waiting.get(name) ?? 0 };
    if (limitVersion !== null) found.push({ name, limit, ...counts });
    else if (counts.held + counts.waiting > 0) found.push({ name, ...counts });
  }
  return found;
}
