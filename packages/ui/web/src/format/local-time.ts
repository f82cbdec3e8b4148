import { offsetOf, timeAt } from "./wall.js";

/** A time as a field of the type `datetime-local` has it: `2026-11-24T14:00`, on the wall of a zone. */
export const toField = (at: number, zone: string): string =>
  new Date(at + offsetOf(at, zone)).toISOString().slice(0, 16);

/** The time in such a field, in ms since 1970; `undefined` while it is not complete. */
export function fromField(text: string, zone: string): number | undefined {
  const wall = Date.parse(`${text}Z`);
  return text === "" || Number.isNaN(wall) ? undefined : timeAt(wall, zone);
}
