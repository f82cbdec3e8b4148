import { visible } from "@ojm/core/internal";

/** The longest value that an error shows, in characters. */
const LONGEST = 100;

/** A value as it stands in a definition, for an error: a text in quotes, a map or a list as JSON. */
export function show(value: unknown): string {
  if (typeof value === "string") return `"${visible(value)}"`;
  if (typeof value !== "object" || value === null || value instanceof Date) return visible(String(value));
  const text = jsonOf(value) ?? (Array.isArray(value) ? "a list" : "a map");
  return visible(text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text);
}

/** `undefined` if it is no JSON. */
function jsonOf(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
