import type { Channel, JsonValue, Key, Op, Version } from "@ojm/core";
import { type DamageCheck, isMap, isText, isTime, readable } from "@ojm/core/internal";
import type { Alert } from "../types.js";
import { type Window, windowFrom } from "./window.js";

/** The channel of the alerts, in the store of the locks. */
export const CHANNEL = "oJobManager-alerts";

/** How long an entry lives that is not written again, in ms: a removed rule leaves nothing. */
const KEPT = 400 * 86_400_000;

/**
 * Which ticks a rule has judged: all up to `from`, except for the schedules in `behind`, which have undecided
 * ticks up to `from`. Of such a schedule, only the ticks up to the time in `behind` are judged.
 */
export interface TickState {
  readonly from: number;
  readonly behind: { readonly [schedule: string]: number };
  /**
   * The ticks that were reported, as far as they may be found again. All ticks after `time` up to `reach`
   * were reported with the tick at `time`.
   */
  readonly reported: readonly (readonly [time: number, hash: string, reach: number])[];
}

/** What a rule has reported, and what it waits for. */
export interface RuleState {
  /** The runs that ended in error, by their ends. */
  readonly ends: Window;
  /** The runs of all names, by their starts. Only for rules on `started` or `completed`. */
  readonly starts: Window;
  /** Runs that a rule on `completed` waits for. */
  readonly open: readonly (readonly [name: string, startTime: number])[];
  /** Runs that ended in error and wait for their next attempt. */
  readonly held: readonly (readonly [name: string, startTime: number])[];
  /** Runs that were reported as long and are still running. */
  readonly long: readonly string[];
  /** The last run that was reported as failed, of each job that has not recovered. */
  readonly down: { readonly [name: string]: { readonly start: number; readonly streak: number } };
  /** Which ticks of schedules were judged. Only for rules that report ticks. */
  readonly ticks?: TickState;
  /** The number of the next alert in the outbox. */
  readonly seq: number;
  /** How many alerts were dropped since the last alert that counts them. */
  readonly dropped: number;
}

/** An alert that waits for its receiver. */
export interface Pending {
  readonly alert: Alert;
  /** When it was found. */
  readonly since: number;
  readonly tries: number;
  readonly due: number;
}

/** A receiver that takes nothing at the moment. */
export interface Gate {
  readonly until: number;
  readonly tries: number;
}

/** When a process last took the turn to check. */
export interface Turn {
  readonly at: number;
}

/**
 * The entries:
 *
 * - `["rule", ID]`: the state of the rule.
 * - `["outbox", ID, SEQ]`: a pending alert. Alerts are delivered in this order: a start before its end.
 * - `["gate", ID]`: when its receiver is tried again.
 * - `["turn", RULES]`: when a process with these rules last checked.
 */
export type Stored = RuleState | Pending | Gate | Turn;

export type AlertsChannel = Channel<Stored>;
export type AlertOp = Op<Stored>;

export const ruleKey = (rule: string): string[] => ["rule", rule];
export const turnKey = (rules: string): string[] => ["turn", rules];
export const gateKey = (rule: string): string[] => ["gate", rule];
export const outboxOf = (rule: string): string[] => ["outbox", rule];
export const outboxKey = (rule: string, seq: number): (string | number)[] => ["outbox", rule, seq];

/** The time to live of every entry, where the store has one. */
export function kept({ supports }: Pick<AlertsChannel, "supports">): { ttl?: number } {
  return supports.ttl ? { ttl: KEPT } : {};
}

/** The state of a rule that starts to report ticks at `at`. */
export function ticksFrom(at: number): TickState {
  return { from: at, behind: {}, reported: [] };
}

/** The state of a rule that begins at `at`. */
export function freshState(at: number): RuleState {
  return {
    ends: windowFrom(at),
    starts: windowFrom(at),
    open: [],
    held: [],
    long: [],
    down: {},
    ticks: ticksFrom(at),
    seq: 1,
    dropped: 0,
  };
}

export interface ReadState {
  readonly state: RuleState;
  readonly version: Version;
}

/**
 * Whether a value is a state, with all its items: a check that fails at one of them would fail every time.
 * Any program can write into a store.
 */
export function isState(value: unknown): value is RuleState {
  const { ends, starts, open, held, long, down, ticks, seq, dropped } = (value ?? {}) as {
    [K in keyof RuleState]?: JsonValue;
  };
  return (
    isWindow(ends) &&
    isWindow(starts) &&
    isListOf(open, [isText, isTime]) &&
    isListOf(held, [isText, isTime]) &&
    Array.isArray(long) &&
    long.every(isText) &&
    isMapOf(down, isDown) &&
    (ticks === undefined || isTickState(ticks)) &&
    Number.isSafeInteger(seq) &&
    Number.isSafeInteger(dropped)
  );
}

function isDown(value: unknown): boolean {
  const { start, streak } = (value ?? {}) as { readonly [K in keyof RuleState["down"][string]]?: unknown };
  return isTime(start) && Number.isSafeInteger(streak);
}

function isTickState(value: unknown): boolean {
  const { from, behind, reported } = (value ?? {}) as { readonly [K in keyof TickState]?: unknown };
  return isTime(from) && isMapOf(behind, isTime) && isListOf(reported, [isTime, isText, isTime]);
}

function isWindow(value: unknown): boolean {
  const { from, newest, seen } = (value ?? {}) as { readonly [K in keyof Window]?: unknown };
  return isTime(from) && isTime(newest) && isListOf(seen, [isTime, isText]);
}

type Is = (value: unknown) => boolean;

/** Whether a value is a list of lists that begin with such parts. */
function isListOf(value: unknown, parts: readonly Is[]): boolean {
  const isItem = (item: unknown): boolean => Array.isArray(item) && parts.every((is, i) => is(item[i]));
  return Array.isArray(value) && value.every(isItem);
}

function isMapOf(value: unknown, is: Is): boolean {
  return isMap(value) && Object.values(value).every(is);
}

export function isPending(value: unknown): value is Pending {
  const { alert, since, tries, due } = (value ?? {}) as { readonly [K in keyof Pending]?: unknown };
  const { id, name } = (alert ?? {}) as Partial<Alert>;
  const counts = [since, tries, due].every((each) => typeof each === "number");
  return counts && typeof id === "string" && typeof name === "string";
}

export function isGate(value: unknown): value is Gate {
  const { until, tries } = (value ?? {}) as Partial<Gate>;
  return Number.isFinite(until) && Number.isSafeInteger(tries);
}

export function isTurn(value: unknown): value is Turn {
  return typeof (value as Partial<Turn> | null | undefined)?.at === "number";
}

/** An entry and its version. Its value is `undefined` if it cannot be decoded. */
export async function entryUnder(
  channel: AlertsChannel,
  key: Key,
): Promise<{ readonly value: unknown; readonly version: Version } | undefined> {
  for await (const entry of readable(channel, { prefix: key, limit: 1 }))
    if (JSON.stringify(entry.key) === JSON.stringify(key)) return entry;
  return undefined;
}

/** Finds the damaged entries of the alerts. */
export const alertDamage: DamageCheck = {
  channel: CHANNEL,
  isDamaged: ({ key, value }) => {
    const [kind, id, seq, ...more] = (Array.isArray(key) ? key : []) as readonly unknown[];
    if (typeof id !== "string" || more.length > 0) return false;
    if (seq !== undefined) return kind === "outbox" && typeof seq === "number" && !isPending(value);
    if (kind === "rule") return !isState(value);
    return (kind === "gate" && !isGate(value)) || (kind === "turn" && !isTurn(value));
  },
};
