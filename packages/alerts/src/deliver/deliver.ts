import { emitWarning, readable, unlessCorrupt, visible } from "@ojm/core/internal";
import type { Fenced } from "../check/put.js";
import {
  type AlertOp,
  type AlertsChannel,
  type Gate,
  gateKey,
  isGate,
  isPending,
  kept,
  outboxOf,
  type Pending,
} from "../check/state.js";
import type { CheckedRule } from "../rules/checked-rule.js";
import type { Outcome, Send } from "./outcome.js";

/** The first and the longest pause after a failure, in ms. Each pause is twice the one before. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 3_600_000;

/** How long delivery of an alert is tried, in ms. */
export const GIVE_UP = 86_400_000;

/** How long one run delivers, in ms: the next run continues. */
const BUDGET = 60_000;

/** What a delivery works with. */
export interface Delivery {
  readonly channel: AlertsChannel;
  readonly fenced: Fenced;
  readonly send: Send;
  readonly signal: AbortSignal;
  readonly logTail: (run: string) => Promise<string>;
  now(): number;
}

/** The outcome of a delivery. `next`: when there is more to do; absent: nothing is left. */
export interface Delivered {
  readonly count: number;
  readonly next?: number;
}

/** When the next alert of a rule is due; `undefined` if none waits. */
export async function nextDue(channel: AlertsChannel, rule: string): Promise<number | undefined> {
  let first: number | undefined;
  for await (const { value } of readable(channel, { prefix: outboxOf(rule), limit: 20 })) {
    if (isPending(value)) first = Math.min(first ?? value.due, value.due);
  }
  if (first === undefined) return undefined;
  return Math.max(first, (await gateOf(channel, rule)).until);
}

/** The gate of a rule: open if it has none, or if it is damaged. */
async function gateOf(channel: AlertsChannel, rule: string): Promise<Gate> {
  const gate: unknown = await unlessCorrupt(channel.get(gateKey(rule)));
  return isGate(gate) ? gate : { until: 0, tries: 0 };
}

/**
 * Delivers what is due for a rule, in order. An alert leaves the outbox only after its receiver took it.
 * While a receiver takes nothing, all its alerts wait, so that their order is kept.
 */
export async function deliver(rule: CheckedRule, delivery: Delivery): Promise<Delivered> {
  const { channel, fenced, signal, logTail, now } = delivery;
  const begun = now();
  const gate = await gateOf(channel, rule.id);
  if (gate.until > begun) return { count: 0, next: gate.until };
  let count = 0;
  let next: number | undefined;
  let shut = false;
  for await (const { key, value } of readable(channel, { prefix: outboxOf(rule.id) })) {
    if (!isPending(value)) continue;
    const at = now();
    if (shut) {
      if (at - value.since < GIVE_UP) break;
      await fenced([{ delete: key }]);
      giveUp(rule, value, "its receiver accepted nothing for a day");
      continue;
    }
    if (signal.aborted || at - begun > BUDGET) return { count, next: at };
    if (value.due > at) {
      next = Math.min(next ?? value.due, value.due);
      continue;
    }
    const outcome = await delivery.send(rule.to, value.alert, { signal, now: at, logTail });
    if (signal.aborted && outcome.type !== "taken") return { count, next: at };
    if (outcome.type === "taken") count++;
    const written = after(rule, { key: key as (string | number)[], value, outcome, gate, at: now(), channel });
    await fenced(written.ops);
    if (written.givenUp !== undefined) giveUp(rule, value, written.givenUp);
    if (written.next !== undefined) next = Math.min(next ?? written.next, written.next);
    if (outcome.type === "later") {
      shut = true;
      next = written.next;
    }
  }
  return next === undefined ? { count } : { count, next };
}

interface Attempt {
  readonly key: (string | number)[];
  readonly value: Pending;
  readonly outcome: Outcome;
  readonly gate: Gate;
  readonly at: number;
  readonly channel: AlertsChannel;
}

interface Written {
  readonly ops: readonly AlertOp[];
  readonly givenUp?: string;
  readonly next?: number;
}

/** The writes for the outcome of an attempt. */
function after({ id }: CheckedRule, { key, value, outcome, gate, at, channel }: Attempt): Written {
  const old = at - value.since >= GIVE_UP;
  switch (outcome.type) {
    case "taken":
      return { ops: [{ delete: key }, ...(gate.tries > 0 ? [{ delete: gateKey(id) }] : [])] };
    case "gone":
      return { ops: [{ delete: key }], givenUp: outcome.why };
    case "refused": {
      if (old) return { ops: [{ delete: key }], givenUp: outcome.why };
      const due = at + pauseAfter(value.tries);
      return { ops: [{ put: key, value: { ...value, tries: value.tries + 1, due }, ...kept(channel) }], next: due };
    }
    case "later": {
      const until = at + Math.max(pauseAfter(gate.tries), Math.min(outcome.after ?? 0, GIVE_UP));
      const shut: AlertOp = { put: gateKey(id), value: { until, tries: gate.tries + 1 }, ...kept(channel) };
      const tried: AlertOp = { put: key, value: { ...value, tries: value.tries + 1 }, ...kept(channel) };
      if (!old) return { ops: [shut, tried], next: until };
      return { ops: [shut, { delete: key }], givenUp: outcome.why, next: until };
    }
  }
}

function pauseAfter(tries: number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(tries, 20));
}

function giveUp({ id }: CheckedRule, { alert }: Pending, why: string): void {
  const text = `the alert ${alert.id} about ${visible(alert.run ?? alert.name)} (${alert.kind}, rule ${id}) was given up: ${why}`;
  emitWarning("OJM_ALERT", text);
}
