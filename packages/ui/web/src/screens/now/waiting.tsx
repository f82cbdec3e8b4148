import type { VNode } from "preact";
import type { Now } from "../../api/types.js";
import { to } from "../../app/router.js";
import { count } from "../../format/duration.js";
import { Waiters } from "../../parts/lists/waiters.js";
import { Section } from "../../parts/page.js";

/** The jobs whose lock others wait for. */
export function Waiting({ waiting }: Pick<Now, "waiting">): VNode | null {
  if (waiting.length === 0) return null;
  return (
    <Section title="Waiting for a lock" count={waiting.length}>
      <ul class="rows plain">
        {waiting.map(({ name, waiting: n, waiters }) => (
          <li key={name}>
            <div class="what">
              <a class="name cut" href={to.job(name)} data-row>
                {name}
              </a>
              <Waiters waiters={waiters} n={n} />
            </div>
            <span class="dim nowrap">{count(n, "run")}</span>
            <a class="link end" href={to.why(name)} aria-label={`Why ${name} does not run`}>
              Why
            </a>
          </li>
        ))}
      </ul>
    </Section>
  );
}
