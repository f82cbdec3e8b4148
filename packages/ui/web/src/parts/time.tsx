import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { isOverdue } from "../app/me.js";
import { second } from "../format/clock.js";
import { distanceText, elapsedText } from "../format/duration.js";
import { longTime, shortTime } from "../format/times.js";
import { isoOf, localZone, offsetOf, offsetText } from "../format/wall.js";
import { zoneChoice, zoneFor } from "../format/zone.js";

interface TimeProps {
  readonly at: number;
  /** The job that the time belongs to. Default: the job of the page. */
  readonly job?: string | undefined;
  /** Whether it is one of a column, which has the seconds of all times of today. */
  readonly listed?: boolean;
}

/** A time, with the full time as its title. */
export function Time({ at, job, listed = false }: TimeProps): VNode {
  const zone = zoneFor(job);
  const isOfJob = zoneChoice.value === "job";
  // Memoized: the rest is rendered each second, and a formatter of another zone is slow.
  const apart = useMemo(() => (isOfJob ? apartText(at, zone) : undefined), [at, zone, isOfJob]);
  return (
    <time dateTime={isoOf(new Date(at))} title={useMemo(() => longTime(at, zone), [at, zone])} class="nowrap">
      {shortTime(at, second.value, zone, listed)}
      {apart !== undefined && <span class="dim"> {apart}</span>}
    </time>
  );
}

/** The offset of a zone from UTC, if it differs from the user's: a list may have times of several zones. */
function apartText(at: number, zone: string): string | undefined {
  if (offsetOf(at, zone) === offsetOf(at, localZone())) return undefined;
  return zone === "UTC" ? zone : offsetText(at, zone);
}

/** The distance to a time: `in 3 min`. */
export const Away = (props: TimeProps): VNode => <Said {...props} text={distanceText(props.at, second.value)} />;

/** When something is due. A past time is shown as due now, and later as overdue. */
export const Due = (props: TimeProps): VNode =>
  props.at > second.value ? (
    <Away {...props} />
  ) : (
    <Said {...props} text={isOverdue(props.at, second.value) ? "overdue" : "now"} />
  );

const Said = ({ at, job, text }: TimeProps & { readonly text: string }): VNode => (
  <time dateTime={isoOf(new Date(at))} title={longTime(at, zoneFor(job))} class="nowrap">
    {text}
  </time>
);

/** The elapsed time, counting. */
export const Elapsed = ({ since }: { readonly since: number }): VNode => (
  <span class="nowrap">{elapsedText(second.value - since)}</span>
);
