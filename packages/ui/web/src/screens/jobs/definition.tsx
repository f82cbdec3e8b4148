import type { VNode } from "preact";
import type { JobDetail } from "../../api/types.js";
import { Section } from "../../parts/page.js";

/** The definition of the schedule, as it is in the store. */
export function Definition({ of }: { readonly of: JobDetail["definition"] }): VNode | null {
  if (of === undefined) return null;
  return (
    <Section title="Definition">
      <dl class="definition">
        {Object.entries(of).map(([field, value]) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd class="mono">{typeof value === "string" ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
