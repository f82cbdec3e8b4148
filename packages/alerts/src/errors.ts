import { nearest, visible } from "@ojm/core/internal";

/** Why the alerts could not be opened. */
export class AlertsError extends Error {
  /** `INVALID`: an option makes no sense. */
  readonly code: "INVALID";

  /** The option with the mistake, such as `rules[0].to.webhook` or `url`. */
  readonly option: string;

  constructor(message: string) {
    super(message);
    this.name = "AlertsError";
    this.code = "INVALID";
    this.option = /^(?:rules(?:\[\d+\])?(?:\.\w+)*|url\b)/.exec(message)?.[0] ?? "";
  }
}

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
