import { checkedDuration } from "@ojm/core/backend";
import { nearest, valueText, visible } from "@ojm/core/internal";
import { AlertsError, checkNames } from "../errors.js";
import { checkAddress, checkReceiver } from "../receivers/receivers.js";
import type { AlertKind, AlertsOptions, Rule } from "../types.js";
import { checkedRule, ERRORS, OWN_NAME, TAKEN } from "./checked-rule.js";

const KINDS: readonly AlertKind[] = ["started", "completed", ...ERRORS, "recovered", "long", "missed", "late"];

/** How many runs of a job are read to count a streak. */
const LONGEST_STREAK = 50;

/** A scheduler takes a moment to decide on a tick. */
const LEAST_GRACE = 1_000;

/** The shortest and the longest interval between two checks of a process, in ms. */
const OFTEN = 10;
const SELDOM = 3_600_000;

/**
 * Rejects invalid options, and rules that can never send an alert.
 *
 * @throws AlertsError `INVALID`
 */
export function checkOptions(options: AlertsOptions): void {
  checkNames("openAlerts", options, ["rules", "every", "url", "clock"]);
  const { rules, every, url } = options;
  checkRules(rules, url);
  if (every !== undefined) checkedDuration("every", every, refuse, OFTEN, SELDOM);
}

/**
 * Rejects invalid rules, rules that can never send an alert, and a `url` that is not an address, as {@link
 * openAlerts} does. For programs that read them from a file.
 *
 * @throws AlertsError `INVALID`; its `option` names the place
 */
export function checkRules(rules: readonly Rule[], url?: string): void {
  if (!Array.isArray(rules) || rules.length === 0) throw new AlertsError("rules must be a list of at least one rule");
  rules.forEach((rule: unknown, i) => {
    checkRule(`rules[${i}]`, rule);
  });
  checkIds(rules);
  if (url !== undefined) checkAddress("url", url, ["http:", "https:"]);
}

/** Two rules with one id would share their state, and one of them would report nothing. */
function checkIds(rules: readonly Rule[]): void {
  const ids = rules.map((rule) => checkedRule(rule).id);
  const i = ids.findIndex((id, at) => ids.indexOf(id) < at);
  if (i < 0) return;
  const first = ids.indexOf(ids[i] ?? "");
  throw new AlertsError(
    `rules[${i}] is the same as rules[${first}], or has its id: each alert is sent once for each id`,
  );
}

function checkRule(where: string, rule: unknown): void {
  checkNames(where, rule, ["id", "on", "jobs", "after", "longer", "later", "grace", "to"]);
  const { id, on, jobs, after, to } = rule as Rule;
  if (id !== undefined && (typeof id !== "string" || !/^[\w.-]{1,100}$/.test(id)))
    throw new AlertsError(`${where}: id must be 1 to 100 letters, digits, ".", "_" or "-", not ${valueText(id)}`);
  checkKinds(where, on);
  if (jobs !== undefined) checkJobs(where, jobs);
  if (after !== undefined && (!Number.isInteger(after) || after < 1 || after > LONGEST_STREAK))
    throw new AlertsError(
      `${where}: after must be a whole number from 1 to ${LONGEST_STREAK}, not ${valueText(after)}`,
    );
  checkThatItFires(where, rule as Rule);
  const receiver = checkReceiver(`${where}.to`, to);
  const lost = on.find((kind) => TAKEN[receiver]?.includes(kind) === false);
  if (lost !== undefined)
    throw new AlertsError(`${where}: ${receiver} cannot report "${lost}". It takes: ${TAKEN[receiver]?.join(", ")}`);
}

function checkKinds(where: string, on: unknown): void {
  if (!Array.isArray(on) || on.length === 0)
    throw new AlertsError(`${where}: on must be a list of at least one of: ${KINDS.join(", ")}`);
  for (const kind of on as unknown[]) {
    if (KINDS.includes(kind as AlertKind)) continue;
    const near = typeof kind === "string" ? nearest(kind, KINDS) : undefined;
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw new AlertsError(`${where}: on has no "${visible(String(kind))}".${hint} It takes: ${KINDS.join(", ")}`);
  }
}

function checkJobs(where: string, jobs: unknown): void {
  if (!Array.isArray(jobs) || jobs.length === 0 || !jobs.every((job) => typeof job === "string" && job !== ""))
    throw new AlertsError(`${where}: jobs must be a list of names of jobs, such as ["nightly-*"]`);
  if (jobs.every((job) => job === OWN_NAME))
    throw new AlertsError(`${where}: the rule can never fire: "${OWN_NAME}" is what delivers the alerts`);
}

/** Rejects an option that has no effect, and a rule that can never fire. */
function checkThatItFires(where: string, { on, after, longer, later, grace }: Rule): void {
  for (const [kind, name, value] of [["long", "longer", longer] as const, ["late", "later", later] as const]) {
    if (on.includes(kind)) checkedDuration(`${where}: "${kind}" needs ${name}, which`, value, refuse, 1);
    refuseUnused(where, on, kind, name, value);
  }
  refuseUnused(where, on, "missed", "grace", grace);
  if (grace !== undefined) checkedDuration(`${where}: grace`, grace, refuse, LEAST_GRACE);
  if (after !== undefined && !on.some((kind) => kind === "recovered" || ERRORS.includes(kind)))
    throw new AlertsError(`${where}: after counts runs that ended in error, and on has none: [${on.join(", ")}]`);
}

/** Rejects an option, or an argument of a call. */
export function refuse(message: string): never {
  throw new AlertsError(visible(message));
}

function refuseUnused(where: string, on: Rule["on"], kind: AlertKind, name: string, value: unknown): void {
  if (value === undefined || on.includes(kind)) return;
  throw new AlertsError(`${where}: ${name} is for "${kind}", which is not in on: [${on.join(", ")}]`);
}
