import { isRunError, type JobManager, type Run } from "@ojm/core";
import { readable } from "@ojm/core/internal";
import { deliver, nextDue } from "../deliver/deliver.js";
import { logTail } from "../deliver/log-tail.js";
import type { Send } from "../deliver/outcome.js";
import { type CheckedRule, OWN_NAME } from "../rules/checked-rule.js";
import { type Findings, findFor } from "./find.js";
import { put } from "./put.js";
import { type Judged, Records } from "./records.js";
import {
  type AlertsChannel,
  entryUnder,
  freshState,
  isState,
  isTurn,
  kept,
  type ReadState,
  ruleKey,
  turnKey,
} from "./state.js";
import { MARGIN } from "./window.js";

/** The timeout of the managed run that delivers, in ms: its budget and the longest delivery. */
const TIMEOUT = 150_000;

/** A new rule begins at the last check of any process, or now if that is longer ago than this, in ms. */
const INHERITED = 86_400_000;

/** What a check needs. */
export interface Context {
  readonly manager: JobManager;
  readonly channel: AlertsChannel;
  readonly rules: readonly CheckedRule[];
  readonly send: Send;
  /** Up to which tick this process has judged each schedule, by rule id. */
  readonly judged: Map<string, Judged>;
  /** Aborts deliveries, which are made again later. */
  readonly signal: AbortSignal;
  now(): number;
}

/** The result of a check. */
export interface CheckResult {
  /** When the next known work is due. */
  readonly next?: number;
  /** Another process is at work, or the managed run is on hold. */
  readonly locked?: true;
  /** The jobs that a rule knows as down. */
  readonly down: ReadonlySet<string>;
}

/**
 * Checks, without a write, whether there is something to report or to deliver. If there is, one managed run
 * does it, in exactly one process. `wait`: how long to wait for another process that does it, in ms.
 */
export async function check(context: Context, wait = 0): Promise<CheckResult> {
  const { manager, channel, rules, now } = context;
  const all = await findAll(context);
  for (const findings of all) if (!findings.changed) await noteTicks(context, findings);
  const down = new Set(all.flatMap(({ state }) => Object.keys(state.down)));
  const dues = await Promise.all(rules.map(({ id }) => nextDue(channel, id)));
  const due = earliest(dues);
  if (!all.some(({ changed }) => changed) && !(due !== undefined && due <= now())) {
    return due === undefined ? { down } : { down, next: due };
  }
  try {
    const options = { wait, timeout: TIMEOUT, trigger: "alerts" };
    const { result } = await manager.run(OWN_NAME, (run) => reportAndDeliver(context, run), options);
    return result.next === undefined ? { down } : { down, next: result.next };
  } catch (error) {
    if (isRunError(error) && error.code === "LOCKED") return { down, locked: true };
    throw error;
  }
}

/** Reports and delivers. The record of the managed run stores the result. */
async function reportAndDeliver(
  context: Context,
  run: Run,
): Promise<{ readonly alerts: number; readonly delivered: number; readonly next?: number }> {
  const { channel, rules, send, now } = context;
  const fenced: Parameters<typeof put>[1] = (ops) => run.fenced(channel, ops);
  let alerts = 0;
  for (const findings of await findAll(context)) {
    if (!findings.changed || !(await put(channel, fenced, findings, now()))) continue;
    context.judged.set(findings.rule.id, findings.judged);
    alerts += findings.alerts.length;
  }
  const signal = AbortSignal.any([run.signal, context.signal]);
  const delivery = { channel, fenced, send, signal, logTail: (id: string) => logTail(context.manager, id), now };
  const all = await Promise.all(rules.map((rule) => deliver(rule, delivery)));
  const delivered = all.reduce((sum, { count }) => sum + count, 0);
  const next = earliest(all.map((each) => each.next));
  return next === undefined ? { alerts, delivered } : { alerts, delivered, next };
}

async function findAll({ manager, channel, rules, judged, now }: Context): Promise<Findings[]> {
  const records = new Records(manager);
  const all: Findings[] = [];
  for (const rule of rules) {
    const before = await stateOf(channel, rule.id, now());
    all.push(await findFor(rule, before, { records, now: now(), judged: judged.get(rule.id) ?? new Map() }));
  }
  return all;
}

/** Remembers which ticks were judged and need no alert; now and then in the store, for later processes. */
async function noteTicks({ channel, judged }: Context, findings: Findings): Promise<void> {
  const { rule, before, state } = findings;
  judged.set(rule.id, findings.judged);
  const [known, found] = [before.state.ticks, state.ticks];
  const isSame = JSON.stringify(known?.reported) === JSON.stringify(found?.reported);
  if (isSame && (found?.from ?? 0) - (known?.from ?? 0) < MARGIN) return;
  // Ignore a lost race: the process that won has recorded as much.
  await channel.compareAndSet(ruleKey(rule.id), before.version, state, kept(channel));
}

/** The state of a rule. A rule without one begins at the last check of any process with alerts. */
export async function stateOf(channel: AlertsChannel, id: string, now: number): Promise<ReadState> {
  const key = ruleKey(id);
  const known = await entryUnder(channel, key);
  if (known !== undefined && isState(known.value)) return { state: known.value, version: known.version };
  const state = freshState(await lastCheck(channel, now));
  const outcome = await channel.compareAndSet(key, known?.version ?? null, state, kept(channel));
  if (outcome.ok) return { state, version: outcome.version };
  return stateOf(channel, id, now);
}

async function lastCheck(channel: AlertsChannel, now: number): Promise<number> {
  let last = 0;
  for await (const { value } of readable(channel, { prefix: ["turn"] })) {
    if (isTurn(value) && value.at <= now) last = Math.max(last, value.at);
  }
  return now - last > INHERITED ? now : last;
}

/**
 * Whether it is this process's turn to check, of all processes with the same rules: the last check of any of
 * them is at least `rest` ms ago.
 */
export async function takeTurn(channel: AlertsChannel, rules: string, rest: number, now: number): Promise<boolean> {
  const key = turnKey(rules);
  const last = await entryUnder(channel, key);
  const at = isTurn(last?.value) ? last.value.at : 0;
  // A turn in the future comes from a clock that was wrong.
  if (at <= now + rest && now - at < rest) return false;
  const { ok } = await channel.compareAndSet(key, last?.version ?? null, { at: now }, kept(channel));
  return ok;
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
