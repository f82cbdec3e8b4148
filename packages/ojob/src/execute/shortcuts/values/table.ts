import type { Args } from "../../../load/job-file.js";
import { isMap } from "../../../shortcuts/values.js";

/** A list of maps as a table of plain text: a column for each field that one of them has. */
export function plainTable(data: unknown): string {
  const rows = (Array.isArray(data) ? data : [data]).map((row): Args => (isMap(row) ? row : { value: row }));
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => fields.map((field) => cell(Object.hasOwn(row, field) ? row[field] : undefined)));
  const widths = fields.map((field, column) => Math.max(field.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join(" | ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("-+-");
  return [line(fields), rule, ...cells.map(line)].join("\n");
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.replace(/\s*\n\s*/g, " ");
}
