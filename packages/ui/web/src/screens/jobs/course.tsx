import type { VNode } from "preact";
import { startDateOf } from "../../../../../core/src/util/start-time.js";
import { actionState } from "../../acts/acts.js";
import type { CoursePoint, JobDetail, Mark } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { distanceText, durationText } from "../../format/duration.js";
import { stateOf } from "../../format/states.js";
import { inZone } from "../../format/times.js";
import { zoneFor } from "../../format/zone.js";
import { Section } from "../../parts/page.js";
import { Prose } from "../../parts/prose.js";
import { StateMark } from "../../parts/state.js";
import { Away, Time } from "../../parts/time.js";
import { outcomesText } from "./trend.js";

interface CourseProps {
  readonly job: JobDetail;
}

/** A run that took this many times the p95 is drawn at the top: it must not flatten the others. */
const TOP = 4;

/** The last runs over time: how they ended, how long they took, and what changed. Each point is a link. */
export function Course({ job: { name, course, marks, usual } }: CourseProps): VNode | null {
  const [first] = course;
  if (first === undefined) return null;
  const [from] = first;
  const end = Math.max(second.value, from + 1);
  const longest = Math.max(...course.map(([, , ms]) => ms), 1);
  const top = usual === undefined ? longest : Math.min(longest, Math.max(TOP * usual.p95, 1));
  const left = (at: number): string => `${(Math.min(1, (at - from) / (end - from)) * 100).toFixed(2)}%`;
  const bottom = (ms: number): string => `${(Math.min(1, ms / top) * 100).toFixed(2)}%`;
  const said = outcomesText(course.map(([, status]) => status));
  return (
    <Section title="Runs over time" count={`last ${course.length}`}>
      <figure class="course">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form. */}
        <div class="plot" role="group" aria-label={`${said}. Arrow keys move between the runs.`} onKeyDown={move}>
          {usual !== undefined && (
            <i class="band" style={{ bottom: bottom(usual.p50), top: `calc(100% - ${bottom(usual.p95)})` }} />
          )}
          {marks.map(({ at, what, text }) => (
            <i
              class="mark"
              key={`${at} ${what}`}
              style={{ left: left(at) }}
              title={`${actionState(what).word}: ${text}`}
            />
          ))}
          {course.map((point, i) => (
            <Point
              key={point[0]}
              name={name}
              point={point}
              style={{ left: left(point[0]), bottom: bottom(point[2]) }}
              isLast={i === course.length - 1}
            />
          ))}
        </div>
        <figcaption class="dim">
          <span>
            <Away at={from} />
          </span>
          {usual && (
            <span>
              p50 {durationText(usual.p50)}, p95 {durationText(usual.p95)}
            </span>
          )}
          <span>now</span>
        </figcaption>
      </figure>
      <Changes marks={marks} job={name} />
    </Section>
  );
}

interface PointProps {
  readonly name: string;
  readonly point: CoursePoint;
  readonly style: { readonly left: string; readonly bottom: string };
  readonly isLast: boolean;
}

function Point({ name, point: [startTime, status, ms], style, isLast }: PointProps): VNode {
  const { word, tone } = stateOf(status);
  const label = `${word}, ${durationText(ms)}, ${distanceText(startTime, second.value)}`;
  return (
    <a
      class="point"
      href={to.run(`${name}@${startDateOf(startTime)}`)}
      style={{ ...style, color: `var(--s-${tone})` }}
      data-well={status === "completed" || undefined}
      title={label}
      // One stop for the tab key, not a hundred.
      tabIndex={isLast ? 0 : -1}
    >
      <span class="hidden-text">{label}</span>
    </a>
  );
}

/** Moves the focus to the run before or after. */
function move(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step === undefined) return;
  const points = [...event.currentTarget.querySelectorAll("a")];
  points[points.indexOf(document.activeElement as HTMLAnchorElement) + step]?.focus();
  event.preventDefault();
}

/** What changed, the latest first. */
function Changes({ marks, job }: { readonly marks: readonly Mark[]; readonly job: string }): VNode | null {
  if (marks.length === 0) return null;
  return (
    <ul class="rows plain changes" aria-label="What changed">
      {marks.toReversed().map(({ at, what, text }) => (
        <li key={`${at} ${what}`}>
          <StateMark state={actionState(what)} />
          <span class="dim cut" title={inZone(text, second.value, zoneFor(job))}>
            <Prose text={text} job={job} />
          </span>
          <span class="dim end">
            <Time at={at} />
          </span>
        </li>
      ))}
    </ul>
  );
}
