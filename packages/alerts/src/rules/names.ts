import { nearest, visible } from "@ojm/core/internal";
import { AlertsError } from "../errors.js";

/** Rejects a value that is not a map, and unknown keys. */
export function checkNames(where: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new AlertsError(`${where} must be a map of: ${known.join(", ")}`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  throw new AlertsError(`${where} has no "${visible(unknown)}".${hint} It has: ${known.join(", ")}`);
}
