import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { place, setQuery } from "../../app/router.js";
import { fromField, TIME_FIELD, toField } from "../../format/wall.js";
import { zoneFor } from "../../format/zone.js";
import { Icon } from "../icon.js";

const HOUR = 3_600_000;

/** A range of time in the address: `from` and `to`, in ms since 1970 as digits. */
export interface RangeQuery {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** The range in the address. An invalid time is left out: the server would reject it. */
export function rangeOf({ query }: { readonly query: URLSearchParams }): RangeQuery {
  const [from, to] = ["from", "to"].map((field) => {
    const value = Number(query.get(field) || Number.NaN);
    // `toISOString` throws for times beyond the limits of a Date.
    return Number.isInteger(value) && Math.abs(value) < 8.6e15 ? String(value) : undefined;
  });
  return { from, to };
}

interface RangeFieldProps {
  /** The zone of the typed times. Default: that of the page. */
  readonly zone?: string;
  /** Handles a range. By default, the range is put into the address. */
  readonly show?: (from: number, to: number) => void;
  /** Whether there is a button that removes the range from the address. */
  readonly clears?: boolean;
}

/** Two fields that narrow a page to a range of time. Without an end, the range is one hour. */
export function RangeField({ zone = zoneFor(undefined), show = narrow, clears = false }: RangeFieldProps): VNode {
  const [first, last] = [useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null)];
  const { from, to } = rangeOf(place.value);
  useEffect(() => {
    if (first.current !== null) first.current.value = from === undefined ? "" : toField(Number(from), zone);
    if (last.current !== null) last.current.value = to === undefined ? "" : toField(Number(to), zone);
  }, [from, to, zone]);
  const given = (field: HTMLInputElement | null): number | undefined => fromField(field?.value ?? "", zone);
  const submit = (): void => {
    const [begin, end] = [given(first.current), given(last.current)];
    if (begin === undefined) complain(first.current, "This time does not exist.");
    else if (end === undefined && last.current?.value) complain(last.current, "This time does not exist.");
    else if (end !== undefined && end <= begin) complain(last.current, "The end must be after the beginning.");
    else show(begin, end ?? begin + HOUR);
  };
  return (
    <form
      class="range row"
      aria-label="Range of time"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onInput={() => {
        for (const { current } of [first, last]) current?.setCustomValidity("");
      }}
    >
      <label class="row">
        <span>From</span>
        <input {...TIME_FIELD} ref={first} required />
      </label>
      <label class="row">
        <span>To</span>
        <input {...TIME_FIELD} ref={last} title={`${TIME_FIELD.title}. Without it: an hour later`} />
      </label>
      <button type="submit" class="button">
        Show
      </button>
      {clears && from !== undefined && (
        <button type="button" class="button" onClick={() => setQuery({ from: undefined, to: undefined })}>
          <Icon name="close" />
          Any time
        </button>
      )}
      <span class="dim zone">{zone}</span>
    </form>
  );
}

/** Says at a field what is wrong with its value. */
export function complain(field: HTMLInputElement | null, text: string): void {
  field?.setCustomValidity(text);
  field?.reportValidity();
}

function narrow(from: number, to: number): void {
  setQuery({ from: String(from), to: String(to) });
}
