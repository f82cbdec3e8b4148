import type { Stock } from "../../scene/events.js";
import type { Evidence, Violation } from "../verdict.js";

/**
 * Every entry can be read in the end. Where two versions shared the store, both read the same: what one of
 * them writes is neither hidden from the other nor changed by it.
 */
export function judgeReading({ stock, otherStock }: Evidence, newFields: readonly string[] = NEW_FIELDS): Violation[] {
  const texts = new Set([...(stock?.unreadable ?? []), ...(otherStock?.unreadable ?? [])]);
  if (stock !== undefined && otherStock !== undefined)
    for (const text of differences(stock, otherStock, newFields)) texts.add(text);
  return [...texts].map((text) => ({ law: "every version reads it", text }));
}

/** How many differences are reported. */
const MOST = 20;

function differences(one: Stock, other: Stock, newFields: readonly string[]): string[] {
  const { now: _, ...jobs } = one.jobs ?? { now: 0 };
  const { now: __, ...otherJobs } = other.jobs ?? { now: 0 };
  return [
    ...different("left", one.left, other.left),
    ...different("records", byText(one.records), byText(other.records)),
    ...different("jobs", jobs, otherJobs, newFields),
  ].slice(0, MOST);
}

const byText = (records: Stock["records"]): string[] => records.map((record) => JSON.stringify(record)).sort();

/**
 * The fields that the base version does not show, by the end of their paths, such as ".record.group". Both
 * versions must read all others: a field that one of them drops is a fault. A later base empties the list.
 */
const NEW_FIELDS: readonly string[] = [];

/** How what two versions read differs, by its path. */
export function different(
  path: string,
  one: unknown,
  other: unknown,
  newFields: readonly string[] = NEW_FIELDS,
): string[] {
  if (Array.isArray(one) && Array.isArray(other) && one.length !== other.length)
    return [`${path}: one version reads ${one.length} of them, and the other one ${other.length}`];
  if (isMap(one) && isMap(other)) {
    const fields = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...fields].flatMap((field) => {
      const at = `${path}.${field}`;
      if (newFields.some((end) => at.endsWith(end)) && !(field in one && field in other)) return [];
      return different(at, one[field], other[field], newFields);
    });
  }
  if (one === other) return [];
  return [`${path}: one version reads ${JSON.stringify(one)}, and the other one ${JSON.stringify(other)}`];
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
