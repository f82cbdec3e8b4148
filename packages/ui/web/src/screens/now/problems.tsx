import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { ActButtons } from "../../acts/act-menu.js";
import { allowed, offer } from "../../acts/offers.js";
import type { Problem } from "../../api/types.js";
import { to } from "../../app/router.js";
import { count } from "../../format/duration.js";
import { problemOf } from "../../format/states.js";
import { running } from "../../live/live.js";
import { RunLink } from "../../parts/lists/run-link.js";
import { Section } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { StateMark } from "../../parts/state.js";
import { Away } from "../../parts/time.js";

/** The problems, the worst first. */
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
        {problems.map((problem) =>
          problem.jobs === undefined ? (
            <Row key={`${problem.kind} ${problem.name}`} problem={problem} />
          ) : (
            <Several
              key={`${problem.kind} ${problem.text.replace(/[\d.:]+/g, "")}`}
              problem={problem}
              jobs={problem.jobs}
            />
          ),
        )}
      </ul>
    </Section>
  );
}

function Row({ problem: { kind, name, at, text, run } }: { readonly problem: Problem }): VNode {
  const { holder } = (run !== undefined && running.value?.get(run)) || {};
  return (
    <li class="problem">
      <StateMark state={problemOf(kind)} />
      <div class="what">
        <a class="name" href={to.job(name)} data-row={run === undefined || undefined}>
          {name}
        </a>
        <span class="text" title={text}>
          {text}
        </span>
      </div>
      {/* The text already says since when. */}
      <Since at={kind === "ignores-cancel" ? undefined : at} name={name} />
      <span class="ways">
        {kind === "ignores-cancel" && (
          <ActButtons
            offers={allowed([offer("unlock")])}
            target={{ name, run, where: holder && `${holder.host}, pid ${holder.pid}` }}
          />
        )}
        {run !== undefined && (
          <RunLink run={run} row>
            Run<span class="hidden-text"> of {name}</span>
          </RunLink>
        )}
        <Why name={name} />
      </span>
    </li>
  );
}

interface SinceProps {
  readonly name: string;
  readonly at: number | undefined;
}

const Since = ({ name, at }: SinceProps): VNode => (
  <span class="dim">{at !== undefined && <Away at={at} job={name} />}</span>
);

interface WhyProps {
  readonly name: string;
  readonly label?: string;
}

const Why = ({ name, label = `Why ${name} does not run` }: WhyProps): VNode => (
  <a class="link nowrap" href={to.why(name)} aria-label={label} title={label}>
    Why
  </a>
);

interface SeveralProps {
  readonly problem: Problem;
  readonly jobs: NonNullable<Problem["jobs"]>;
}

/** One row for several jobs. It expands to their names. */
function Several({ problem: { kind, name, at, text }, jobs: { n, names } }: SeveralProps): VNode {
  const open = useSignal(false);
  return (
    <>
      <li class="problem">
        <StateMark state={problemOf(kind)} />
        <div class="what">
          <button
            type="button"
            class="unfold name"
            aria-expanded={open.value}
            onClick={() => {
              open.value = !open.value;
            }}
            data-row
          >
            {count(n, "job")}
          </button>
          <span class="text" title={text}>
            {text}
          </span>
        </div>
        <Since at={at} name={name} />
        <Why name={name} label={`Why the first of them, ${name}, does not run`} />
      </li>
      {open.value && (
        <li>
          <ul class="rows plain unfolded" aria-label={`The ${count(n, "job")}`}>
            {names.map((each) => (
              <li key={each}>
                <a class="name cut" href={to.job(each)} data-row>
                  {each}
                </a>
                <span class="end">
                  <Why name={each} />
                </span>
              </li>
            ))}
            {names.length < n && <li class="dim">and {n - names.length} more: see the page of jobs</li>}
          </ul>
        </li>
      )}
    </>
  );
}
