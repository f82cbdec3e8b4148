import type { VNode } from "preact";
import type { Problem } from "../../api/types.js";
import { to } from "../../app/router.js";
import { problemOf } from "../../format/states.js";
import { Section } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { StateMark } from "../../parts/state.js";
import { Away } from "../../parts/time.js";

/** What is wrong, the worst first. */
export function Problems({ problems }: { readonly problems: readonly Problem[] }): VNode {
  if (problems.length === 0) {
    return (
      <Section title="Problems">
        <Empty title="Nothing is wrong">
          No job failed last, none is overdue, and each schedule has a process that runs it.
        </Empty>
      </Section>
    );
  }
  return (
    <Section title="Problems" count={problems.length}>
      <ul class="rows">
        {problems.map((problem) => (
          <Row key={`${problem.kind} ${problem.name}`} problem={problem} />
        ))}
      </ul>
    </Section>
  );
}

function Row({ problem: { kind, name, at, text, run } }: { readonly problem: Problem }): VNode {
  return (
    <li class="problem">
      <StateMark state={problemOf(kind)} />
      <div class="what">
        <a class="name" href={run === undefined ? to.job(name) : to.run(run)} data-row>
          {name}
        </a>
        <span class="text" title={text}>
          {text}
        </span>
      </div>
      <span class="dim">
        <Away at={at} />
      </span>
      <a class="link nowrap" href={to.why(name)} aria-label={`Why ${name} does not run`}>
        Why
      </a>
    </li>
  );
}
