import type { VNode } from "preact";
import { ActButtons } from "../../acts/act-menu.js";
import { allowed, offer } from "../../acts/offers.js";
import type { Now } from "../../api/types.js";
import { to } from "../../app/router.js";
import { problemOf } from "../../format/states.js";
import { RunLink } from "../../parts/lists/run-link.js";
import { Section } from "../../parts/page.js";
import { StateMark } from "../../parts/state.js";
import { Due } from "../../parts/time.js";

/** The jobs that failed and are tried again: nothing of them runs now, and their lock may be free. */
export function Retries({ retries }: Pick<Now, "retries">): VNode | null {
  if (retries.length === 0) return null;
  const offers = allowed([offer("cancel")]);
  return (
    <Section title="Waiting for a retry" count={retries.length}>
      <ul class="rows plain">
        {retries.map(({ name, chain, attempt, attempts, due, error, orphaned }) => (
          <li key={chain}>
            <div class="retry" title={error}>
              <a class="name" href={to.job(name)} data-row>
                {name}
              </a>
              <span class="dim under">
                <RunLink run={chain}>
                  attempt {attempt} of {attempts}
                </RunLink>
                , {orphaned ? <StateMark state={problemOf("orphaned-retry")} /> : <Due at={due} job={name} />}
              </span>
            </div>
            <span class="end">
              <ActButtons offers={offers} target={{ name, run: chain, attempt }} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
