import type { VNode } from "preact";
import type { RetryView, RunItem } from "../../api/types.js";
import { to } from "../../app/router.js";
import { problemOf, reasonState } from "../../format/states.js";
import { Section } from "../../parts/page.js";
import { Prose } from "../../parts/prose.js";
import { RunState, StateMark } from "../../parts/state.js";
import { Due, Time } from "../../parts/time.js";
import { Took } from "./runs-table.js";

interface AttemptsProps {
  readonly attempts: readonly RunItem[];
  /** The pending attempt. */
  readonly next: RetryView | undefined;
  /** The id of the run of the page. */
  readonly current: string;
}

/** The attempts of a retry series, the first one first. */
export const Attempts = ({ attempts, next, current }: AttemptsProps): VNode => (
  <Section title="Attempts" count={attempts.length}>
    <ol class="rows plain">
      {attempts.map((each) => (
        <li key={each.id}>
          <a href={to.run(each.id)} aria-current={each.id === current ? "page" : undefined} class="name" data-row>
            {each.attempt ?? 1}
          </a>
          <RunState status={each.status} />
          <Time at={each.startTime} />
          <span class="dim cut">{each.error !== undefined && <Prose text={each.error} />}</span>
          <span class="end">
            <Took run={each} />
          </span>
        </li>
      ))}
      {next !== undefined && (
        <li>
          <span class="name">{next.attempt}</span>
          <StateMark state={next.orphaned ? problemOf("orphaned-retry") : reasonState({ code: "retry" })} />
          <Time at={next.due} />
          <span class="dim end">
            <Due at={next.due} />
          </span>
        </li>
      )}
    </ol>
  </Section>
);
