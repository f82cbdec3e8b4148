import type { VNode } from "preact";
import type { ActRequest } from "../api/types.js";
import { serverNow } from "../format/clock.js";

/** For how long a pause or a hold may be, in ms. */
export const LENGTHS: readonly (readonly [label: string, ms: number | undefined])[] = [
  ["1 hour", 3_600_000],
  ["4 hours", 14_400_000],
  ["8 hours", 28_800_000],
  ["1 day", 86_400_000],
  ["7 days", 604_800_000],
  ["until somebody ends it", undefined],
];

/** A time of a field in ms since 1970; a length of time counts from now. */
export function moment(given: string | number): number {
  return typeof given === "number" ? Math.round(serverNow() + given) : new Date(given).getTime();
}

/** When the act ends by itself. */
export const UntilField = (): VNode => (
  <label class="field">
    <span>Ends after</span>
    <select class="input" name="length">
      {LENGTHS.map(([label]) => (
        <option value={label}>{label}</option>
      ))}
    </select>
  </label>
);

/** Parameters of a run. */
export const ArgsField = (): VNode => (
  <label class="field">
    <span>Parameters, as JSON</span>
    <textarea class="input" name="args" placeholder='{ "region": "eu" }' spellcheck={false} />
  </label>
);

/** What {@link ArgsField} holds. Throws if that is not a map of JSON. */
export function argsIn(text: string): ActRequest["args"] {
  if (text.trim() === "") return undefined;
  let args: unknown;
  try {
    args = JSON.parse(text);
  } catch {
    // Any other text is refused in the same words.
  }
  if (typeof args === "object" && args !== null && !Array.isArray(args)) return args as ActRequest["args"];
  throw new Error('The parameters are not a map in JSON. Write them like { "region": "eu", "days": 7 }.');
}

/** A range of time, by default the last day. */
export function RangeFields(): VNode {
  const now = serverNow();
  return (
    <>
      <label class="field">
        <span>From (your time zone)</span>
        <input class="input" type="datetime-local" name="from" required defaultValue={local(now - 86_400_000)} />
      </label>
      <label class="field">
        <span>To</span>
        <input class="input" type="datetime-local" name="to" required defaultValue={local(now)} />
      </label>
      <label class="check">
        <input type="checkbox" name="again" /> Also ticks that were run
      </label>
    </>
  );
}

/** A time as `datetime-local` wants it. */
function local(at: number): string {
  const offset = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - offset).toISOString().slice(0, 16);
}
