import type { Stock } from "../../scene/events.js";
import type { Evidence, Violation } from "../verdict.js";

/**
 * Every entry can be read in the end. Where two versions shared the store, both read the same: what one of
 * them writes is neither hidden from the other nor changed by it.
 */
export function judgeReading({ stock, otherStock }: Evidence): Violation[] {
  const texts = new Set([...(stock?.unreadable ?? []), ...(otherStock?.unreadable ?? [])]);
  if (stock !== undefined && otherStock !== undefined)
    for (const text of differences(stock, otherStock)) texts.add(text);
  return [...texts].map((text) => ({ law: "every version reads it", text }));
}

/** How many differences are reported. */
const MOST = 20;

function differences(one: Stock, other: Stock): string[] {
  const { now: _, ...jobs } = one.jobs ?? { now: 0 };
  const { now: __, ...otherJobs } = other.jobs ?? { now: 0 };
  return [
    ...different("left", one.left, other.left),
    ...different("records", byText(one.records), byText(other.records)),
    ...different("jobs", jobs, otherJobs),
  ].slice(0, MOST);
}

const byText = (records: Stock["records"]): string[] => records.map((record) => JSON.stringify(record)).sort();

/** A version may know fields that the other one does not: the fields that both have must agree. */
function different(path: string, one: unknown, other: unknown): string[] {
  if (Array.isArray(one) && Array.isArray(other) && one.length !== other.length)
    return [`${path}: one version reads ${one.length} of them, and the other one ${other.length}`];
  if (isMap(one) && isMap(other))
    return Object.keys(one).flatMap((field) =>
      field in other ? different(`${path}.${field}`, one[field], other[field]) : [],
    );
  if (one === other) return [];
  return [`${path}: one version reads ${JSON.stringify(one)}, and the other one ${JSON.stringify(other)}`];
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
