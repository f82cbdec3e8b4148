import type { VNode } from "preact";
import { second } from "../format/clock.js";
import { distance, seconds } from "../format/duration.js";
import { GRACE } from "../format/states.js";
import { longTime, shortTime } from "../format/times.js";
import { zoneFor } from "../format/zone.js";

interface TimeProps {
  readonly at: number;
  /** The zone of the job that the time belongs to. */
  readonly zone?: string | undefined;
}

/** A time. All of it is in its title. */
export function Time({ at, zone }: TimeProps): VNode {
  const shown = zoneFor(zone);
  return (
    <time dateTime={iso(at)} title={longTime(at, shown)} class="nowrap">
      {shortTime(at, second.value, shown)}
    </time>
  );
}

/** How far a time is away: `in 3 m`. */
export function Away({ at, zone }: TimeProps): VNode {
  return (
    <time dateTime={iso(at)} title={longTime(at, zoneFor(zone))} class="nowrap">
      {distance(at, second.value)}
    </time>
  );
}

/** When something is due. A time that is past is no time to come: it is due, and then overdue. */
export function Due({ at, zone }: TimeProps): VNode {
  if (at > second.value) return <Away at={at} zone={zone} />;
  return (
    <time dateTime={iso(at)} title={longTime(at, zoneFor(zone))} class="nowrap">
      {at > second.value - GRACE ? "now" : "overdue"}
    </time>
  );
}

/** The time that passed since, counting. */
export const Elapsed = ({ since }: { readonly since: number }): VNode => (
  <span class="nowrap">{seconds(second.value - since)}</span>
);

/** A number that is no time must not break the page. */
function iso(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
