import type { CommitResult } from "@ojm/core";
import type { Alert } from "../types.js";
import { type Findings, MOST_PENDING } from "./find.js";
import {
  type AlertOp,
  type AlertsChannel,
  isPending,
  kept,
  outboxKey,
  outboxOf,
  type Pending,
  type RuleState,
  ruleKey,
  type Stored,
} from "./state.js";

/** The most alerts of one commit, each with one older alert that it may replace. */
const AT_ONCE = 20;

/** Writes only while the managed run holds its lock. */
export type Fenced = (ops: readonly AlertOp[]) => Promise<CommitResult<Stored>>;

/**
 * Puts what was found into the outbox, and moves the state past it, in one commit.
 *
 * Alerts beyond the size of one commit go into the outbox first. If the process dies before the last commit,
 * the next check finds them again, and they are delivered again under the same ids.
 *
 * @returns false if another process was faster
 */
export async function put(channel: AlertsChannel, fenced: Fenced, findings: Findings, now: number): Promise<boolean> {
  const { rule, before, alerts } = findings;
  const crowded = await crowd(channel, rule.id, alerts.length);
  const state: RuleState = {
    ...findings.state,
    seq: before.state.seq + alerts.length,
    dropped: alerts.length === 0 ? findings.state.dropped : 0,
  };
  const dropped = findings.state.dropped + crowded.dropped;
  const puts = alerts.slice(-MOST_PENDING).map((alert, i): AlertOp[] => {
    const counted: Alert = i === 0 && dropped > 0 ? { ...alert, dropped } : alert;
    const value: Pending = { alert: counted, since: now, tries: 0, due: now };
    const pushed = crowded.keys[i];
    const op = { put: outboxKey(rule.id, before.state.seq + i), value, ...kept(channel) };
    return pushed === undefined ? [op] : [op, { delete: pushed }];
  });
  while (puts.length > AT_ONCE) await fenced(puts.splice(0, AT_ONCE).flat());
  const { ok } = await fenced([
    { check: ruleKey(rule.id), version: before.version },
    { put: ruleKey(rule.id), value: state, ...kept(channel) },
    ...puts.flat(),
  ]);
  return ok;
}

/** The oldest alerts of a rule that make room for new ones, and how many are dropped with them. */
async function crowd(
  channel: AlertsChannel,
  rule: string,
  more: number,
): Promise<{ keys: (string | number)[][]; dropped: number }> {
  const keys: (string | number)[][] = [];
  let dropped = Math.max(0, more - MOST_PENDING);
  if (more === 0) return { keys, dropped };
  let waiting = 0;
  for await (const _ of channel.keys({ prefix: outboxOf(rule) })) waiting++;
  const surplus = Math.min(waiting, waiting + Math.min(more, MOST_PENDING) - MOST_PENDING);
  if (surplus <= 0) return { keys, dropped };
  for await (const { key, value } of channel.entries({ prefix: outboxOf(rule), limit: surplus })) {
    keys.push(key as (string | number)[]);
    dropped += 1 + (isPending(value) ? (value.alert.dropped ?? 0) : 0);
  }
  return { keys, dropped };
}
