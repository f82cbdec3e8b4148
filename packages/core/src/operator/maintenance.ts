import type { Channel } from "../channel/channel.js";
import { unlessCorrupt } from "../channel/corrupt.js";
import type { Op } from "../channel/types.js";
import { auditOps } from "../jobs/audit.js";
import { refusing } from "../jobs/errors.js";
import { isMaintenance, isMaintenanceValue, MAINTENANCE, maintenanceIn } from "../jobs/maintenance.js";
import type { RunContext } from "../jobs/run/context.js";
import type {
  AuditAction,
  CancelOptions,
  EndMaintenanceOptions,
  Maintenance,
  MaintenanceOptions,
  RunRecord,
} from "../jobs/types.js";
import type { LocksValue } from "../locks/entries/schema.js";
import { matchesName } from "../util/names.js";
import { isText, isTime, present } from "../util/shape.js";
import { checkRequest } from "./requests.js";

const OPTIONS = ["names", "reason", "author", "until"];

/** Starts a maintenance. Resolves to the one of the same names that it replaces. */
export async function startMaintenance(
  context: RunContext,
  options: MaintenanceOptions,
): Promise<Maintenance | undefined> {
  const { names = "*", reason, until } = options;
  checkRequest("a maintenance", names, options, { known: OPTIONS, wait: 0 });
  const at = context.clock.now();
  if (until !== undefined && !(isTime(until) && until > at))
    refusing(names)(`until must be a time in the future, in ms since 1970, not ${String(until)}`);
  // An earlier version would ignore it.
  await context.raiseFormat();
  const holder = await context.locks.operator.holder();
  const by = options.author ?? `${holder.host}, pid ${holder.pid}`;
  const started: Maintenance = { names, reason, by, at, ...present({ until }) };
  const act = { action: "maintenance", name: names, reason, by: holder, ...present({ author: options.author }) };
  const details = until === undefined ? {} : { details: { until } };
  let replaced: Maintenance | undefined;
  await change(context, (all) => {
    replaced = maintenanceIn({ all }, at).find((one) => one.names === names);
    const others = all.filter((one) => !isMaintenance(one) || (one.names !== names && (one.until ?? at + 1) > at));
    return { all: [...others, started], acts: [{ ...act, ...details }] };
  });
  return replaced;
}

/** Ends the maintenance of these names, or all. Resolves to what it ended. */
export async function endMaintenance(
  context: RunContext,
  { names, reason, author }: EndMaintenanceOptions,
): Promise<Maintenance[]> {
  for (const text of [names, reason, author])
    if (text !== undefined && !isText(text)) refusing(names)("names, reason and author of an end are texts");
  const now = context.clock.now();
  const by = await context.locks.operator.holder();
  let ended: Maintenance[] = [];
  await change(context, (all) => {
    const isMeant = (one: unknown): one is Maintenance =>
      isMaintenance(one) && (names === undefined || one.names === names);
    ended = maintenanceIn({ all: all.filter(isMeant) }, now);
    if (ended.length === 0) return undefined;
    const acts = ended.map((one) => ({
      ...{ action: "end-maintenance", name: one.names, by },
      ...present({ reason, author }),
    }));
    return { all: all.filter((one) => !isMeant(one)), acts };
  });
  return ended;
}

/** What {@link cancelUnder} needs of a `JobManager`. */
interface Runs {
  openRecords(): Promise<readonly Pick<RunRecord, "name" | "id">[]>;
  retries(): Promise<readonly { readonly name: string; readonly chain: string }[]>;
  cancel(id: string, options: CancelOptions): Promise<{ readonly requested: boolean }>;
}

/** The ids of the runs of these names that are in progress, and of their retry series. */
export async function runsUnder(manager: Pick<Runs, "openRecords" | "retries">, names: string): Promise<string[]> {
  const [records, retries] = await Promise.all([manager.openRecords(), manager.retries()]);
  const all = [...records, ...retries.map(({ name, chain: id }) => ({ name, id }))];
  return all.filter(({ name }) => matchesName(names, name)).map(({ id }) => id);
}

/** Asks the runs under a maintenance to stop, and resolves to their ids. Items of queues are given back. */
export async function cancelUnder(
  manager: Runs,
  names: string,
  who: Pick<CancelOptions, "reason" | "author">,
): Promise<string[]> {
  const stopped: string[] = [];
  for (const id of await runsUnder(manager, names))
    if ((await manager.cancel(id, { ...who, giveBack: true, wait: 0 })).requested) stopped.push(id);
  return stopped;
}

/** Changes the entry, and writes the audit in the same commit. */
async function change(
  { lockChannel, clock }: RunContext,
  changed: (
    all: readonly unknown[],
  ) => { readonly all: readonly unknown[]; readonly acts: readonly AuditAction[] } | undefined,
): Promise<void> {
  const channel = lockChannel as Channel<unknown>;
  for (;;) {
    const entry = await unlessCorrupt(channel.entry(MAINTENANCE));
    const next = changed(isMaintenanceValue(entry?.value) ? entry.value.all : []);
    if (next === undefined) return;
    const write: Op<unknown> =
      next.all.length === 0 ? { delete: MAINTENANCE } : { put: MAINTENANCE, value: { all: next.all } };
    const audit = next.acts.flatMap((act) => auditOps(channel as Channel<LocksValue>, clock, act).ops as Op<unknown>[]);
    const result = await channel.commit([{ check: MAINTENANCE, version: entry?.version ?? null }, write, ...audit]);
    if (result.ok) return;
  }
}
