import { createHash } from "node:crypto";
import { durationOf, type InMs } from "@ojm/core/internal";
import type { AlertKind, Receiver, Rule } from "../types.js";

/** The name of the managed run that checks and delivers. No rule matches it. */
export const OWN_NAME = "ojm alerts";

/** The statuses that count as errors. */
export const ERRORS: readonly AlertKind[] = ["failed", "lost", "timeout"];

/** The kinds that each receiver takes; absent: all. */
export const TAKEN: { readonly [receiver: string]: readonly AlertKind[] } = {
  healthchecks: ["started", "completed", ...ERRORS],
};

/** A checked rule, with its defaults. */
export interface CheckedRule {
  readonly id: string;
  readonly on: ReadonlySet<AlertKind>;
  /** The ends that count as errors: for the streak, and for `recovered`. */
  readonly errors: ReadonlySet<string>;
  readonly after: number;
  readonly longer: number;
  readonly later: number;
  /** Absent: the default of {@link overdueTicks}. */
  readonly grace?: number;
  readonly to: InMs<Receiver>;
  /** Whether the rule covers jobs of this name. */
  matches(name: string): boolean;
}

/** The rule as used internally. The options were checked before. */
export function checkedRule(rule: Rule): CheckedRule {
  const errors = ERRORS.filter((kind) => rule.on.includes(kind));
  const patterns = rule.jobs?.map(patternOf);
  const grace = durationOf(rule.grace);
  return {
    id: rule.id ?? idOf(rule),
    on: new Set(rule.on),
    errors: new Set(errors.length === 0 ? ERRORS : errors),
    after: rule.after ?? 1,
    longer: durationOf(rule.longer) ?? Number.POSITIVE_INFINITY,
    later: durationOf(rule.later) ?? Number.POSITIVE_INFINITY,
    ...(grace !== undefined && { grace }),
    to: receiverOf(rule.to),
    matches: (name) => name !== OWN_NAME && (patterns === undefined || patterns.some((each) => each.test(name))),
  };
}

/** A copy: the program may change its own object. */
function receiverOf({ deadline, ...to }: Receiver): InMs<Receiver> {
  const ms = durationOf(deadline);
  return { ...structuredClone(to), ...(ms !== undefined && { deadline: ms }) } as InMs<Receiver>;
}

function patternOf(text: string): RegExp {
  const escaped = text.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "s");
}

/** The fields of receivers that are secrets, or that do not affect what was reported. */
const NOT_HASHED = new Set(["secret", "auth", "tls", "deadline"]);

/** A hash of the rule. It leaves out passwords: a short password could be guessed from its hash. */
function idOf({ on, jobs, after, to, ...rule }: Rule): string {
  const [longer, later, grace] = [rule.longer, rule.later, rule.grace].map((span) => durationOf(span));
  const sorted = { on: [...on].sort(), jobs: jobs && [...jobs].sort(), after, longer, later, grace, to };
  const text = JSON.stringify(sorted, (key, value: unknown) => {
    if (NOT_HASHED.has(key)) return undefined;
    return key === "smtp" && typeof value === "string" ? new URL(value).host : value;
  });
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}
