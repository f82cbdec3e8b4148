import { fieldsOf, isText, isTime } from "../../util/shape.js";
import { RunError } from "../errors.js";
import type { RunRef } from "./chunk.js";

/**
 * The run that an id (`NAME@START TIME` in ISO 8601) or a record names.
 *
 * @throws RunError `INVALID`
 */
export function runRefOf(run: unknown): RunRef {
  const { name, startTime } = typeof run === "string" ? partsOf(run) : (fieldsOf<RunRef>(run) ?? {});
  if (isText(name) && name !== "" && isTime(startTime)) return { name, startTime };
  const shown = typeof run === "string" ? `"${run}"` : String(run);
  throw new RunError("INVALID", "", `a run is named by its record or its id, such as "daily-report@2026-11-25T02:00:00.000Z", not by ${shown}`);
}

function partsOf(id: string): { readonly name?: string; readonly startTime?: number } {
  const at = id.lastIndexOf("@");
  return at < 0 ? {} : { name: id.slice(0, at), startTime: Date.parse(id.slice(at + 1)) };
}
