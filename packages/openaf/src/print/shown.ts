/** How a value that is no map or list is shown in tables and trees: a date as `2026-01-31 10:00:00.000`. */
export function shown(value: unknown): string {
  if (value instanceof Date && !Number.isNaN(value.getTime()))
    return value.toISOString().replace("Z", "").replace("T", " ");
  return String(value);
}

/** The width of the terminal, as the environment says it; `undefined` if it does not. */
export function terminalWidth(): number | undefined {
  const columns = Number(process.env["COLUMNS"]);
  return Number.isInteger(columns) && columns > 0 ? columns : undefined;
}
