import type { VNode } from "preact";
import type { JobDetail } from "../../api/types.js";
import { durationText } from "../../format/duration.js";
import { Section } from "../../parts/page.js";

/** The fields that are a number of ms. */
const SPANS = new Set(["every", "timeout", "jitter", "delay", "within", "maxDelay"]);

/** The definition of the schedule, as it is in the store. */
export function Definition({ of }: { readonly of: JobDetail["definition"] }): VNode | null {
  if (of === undefined) return null;
  return (
    <Section title="Definition">
      <dl class="definition">
        {Object.entries(of).map(([field, value]) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd class="mono">{said(field, value)}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

/**
 * A value as somebody reads it: `attempts 3, delay 4 min`. `meta` is the caller's own, and stays as it is.
 */
function said(field: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && SPANS.has(field)) return durationText(value);
  if (field === "meta" || typeof value !== "object" || value === null || Array.isArray(value))
    return JSON.stringify(value);
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${said(name, inner)}`)
    .join(", ");
}
