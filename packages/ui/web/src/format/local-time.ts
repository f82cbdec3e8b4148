import { offsetOf, timeAt } from "./wall.js";

/** A field for a time. Not `datetime-local`: it shows AM and PM beside a page of 24 hours. */
export const TIME_FIELD = {
  class: "input",
  placeholder: "YYYY-MM-DD hh:mm",
  pattern: "\\s*\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d\\s*",
  title: "A time such as 2026-11-24 14:00",
  autocomplete: "off",
} as const;

/** A time as such a field has it, on the wall of a zone. */
export const toField = (at: number, zone: string): string =>
  new Date(at + offsetOf(at, zone)).toISOString().slice(0, 16).replace("T", " ");

/** The time in such a field, in ms since 1970; `undefined` if that is none. */
export function fromField(text: string, zone: string): number | undefined {
  const wall = Date.parse(`${text.trim().replace(" ", "T")}Z`);
  // 30 February is parsed as 2 March.
  const isThere = !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(text.trim().slice(0, 10));
  return isThere ? timeAt(wall, zone) : undefined;
}
