import type { VNode } from "preact";
import type { ActRequest } from "../api/types.js";
import { serverNow } from "../format/clock.js";
import { fromField, TIME_FIELD, toField } from "../format/wall.js";

/** How long a pause or a hold may last, in ms. */
export const LENGTHS: readonly (readonly [label: string, ms: number | undefined])[] = [
  ["1 hour", 3_600_000],
  ["4 hours", 14_400_000],
  ["8 hours", 28_800_000],
  ["1 day", 86_400_000],
  ["7 days", 604_800_000],
  ["until it is ended", undefined],
];

/** When the action ends by itself. */
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
export const ArgsField = ({ args }: { readonly args: ActRequest["args"] }): VNode => (
  <label class="field">
    <span>Parameters, as JSON</span>
    <textarea
      class="input"
      name="args"
      placeholder='{ "region": "eu" }'
      spellcheck={false}
      defaultValue={args && JSON.stringify(args)}
    />
  </label>
);

/** The content of {@link ArgsField}. Throws if it is not a map in JSON. */
export function argsIn(text: string): ActRequest["args"] {
  if (text.trim() === "") return undefined;
  let args: unknown;
  try {
    args = JSON.parse(text);
  } catch {
    // The error below covers any other text.
  }
  if (typeof args === "object" && args !== null && !Array.isArray(args)) return args as ActRequest["args"];
  throw new Error('The parameters are not a map in JSON. Write them like { "region": "eu", "days": 7 }.');
}

/** A range of time, by default the last day. */
export function RangeFields({ zone }: { readonly zone: string }): VNode {
  const now = serverNow();
  return (
    <>
      <label class="field">
        <span>From ({zone})</span>
        <input {...TIME_FIELD} name="from" required defaultValue={toField(now - 86_400_000, zone)} />
      </label>
      <label class="field">
        <span>To</span>
        <input {...TIME_FIELD} name="to" required defaultValue={toField(now, zone)} />
      </label>
      <label class="check">
        <input type="checkbox" name="again" /> Also ticks that were run
      </label>
    </>
  );
}

/** The time in such a field. Throws if it does not exist, such as 30 February. */
export function timeIn(text: string, zone: string): number {
  const at = fromField(text, zone);
  if (at === undefined) throw new Error(`${text} is not a time. Write it as ${TIME_FIELD.placeholder}.`);
  return at;
}
