import type { VNode } from "preact";
import { ActMenu } from "../../acts/act-menu.js";
import { offersOfRun } from "../../acts/offers.js";
import type { Running } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { durationText, elapsedText, percent, progressText } from "../../format/duration.js";
import { Holder, whoText } from "../../parts/facts.js";
import { RunLink } from "../../parts/lists/run-link.js";
import { Section } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { RunState } from "../../parts/state.js";
import { type Placed, useInPlace } from "../../parts/steady/rows.js";
import { Elapsed } from "../../parts/time.js";

/** The running runs: the elapsed time against the usual one, the progress, and the lease. */
export function RunningList({ runs }: { readonly runs: readonly Running[] }): VNode {
  const { rows, around } = useInPlace(runs);
  return (
    <Section title="Running" count={runs.length}>
      {rows.length === 0 ? (
        <Empty title="Nothing runs now">A run appears here in the moment in which it begins.</Empty>
      ) : (
        <ul class="rows" {...around}>
          {rows.map((row) => (
            <Row key={row.item.name} {...row} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function Row({ item: run, gone }: Placed<Running>): VNode {
  const { id, name, startTime, holder, attempt, waiting, progress, stopRequest: asked } = run;
  return (
    <li class="run" data-gone={gone || undefined}>
      {gone ? <span /> : <RunState status="running" bare />}
      <div class="what">
        <a class="name" href={to.job(name)}>
          {name}
        </a>
        <span class="dim">
          <Holder holder={holder} />
          {attempt !== undefined && attempt > 1 && ` · attempt ${attempt}`}
          {waiting > 0 && ` · ${waiting} waiting`}
        </span>
        {asked !== undefined && !gone && (
          <span data-tone="warn">
            asked to stop by {whoText(asked)}: {asked.reason}
          </span>
        )}
        {progress !== undefined && <span class="dim cut">{progressText(progress)}</span>}
      </div>
      {gone ? <span class="pace" /> : <Pace run={run} />}
      <span class="elapsed">
        <RunLink run={id} row>
          {gone ? "ended" : <Elapsed since={startTime} />}
          <span class="hidden-text">, its run</span>
        </RunLink>
      </span>
      {gone ? <span class="lease" /> : <Lease run={run} />}
      <ActMenu
        offers={offersOfRun(gone ? "This run has ended." : undefined)}
        target={{ name, run: id, where: `${holder.host}, pid ${holder.pid}` }}
      />
    </li>
  );
}

/** The elapsed time on a scale, with marks at the median and the 95th percentile of its runs. */
function Pace({ run: { startTime, usual, progress } }: { readonly run: Running }): VNode {
  const elapsed = Math.max(0, second.value - startTime);
  const share = shareOf(progress);
  if (usual === undefined && share === undefined) return <span class="pace dim">no run to compare</span>;
  const end = Math.max(elapsed, (usual?.p95 ?? 0) * 1.15, 1);
  const isLong = usual !== undefined && elapsed > usual.p95;
  const at = (ms: number): { left: string } => ({ left: `${(ms / end) * 100}%` });
  const words = usual ? `usually ${durationText(usual.p50)}, rarely over ${durationText(usual.p95)}` : "";
  return (
    <span class="pace">
      <span class="meter" role="img" aria-label={`${elapsedText(elapsed)}; ${words}`} title={words}>
        <i data-tone={isLong ? "warn" : "running"} style={{ width: `${(share ?? elapsed / end) * 100}%` }} />
        {share === undefined && usual && [usual.p50, usual.p95].map((ms) => <b style={at(ms)} />)}
      </span>
      <span class="dim">
        {share !== undefined
          ? percent(Math.round(share * 100) / 100)
          : isLong
            ? "longer than usual"
            : `of ${durationText(usual?.p50 ?? 0)}`}
      </span>
    </span>
  );
}

const shareOf = (progress: Running["progress"]): number | undefined =>
  progress?.total === undefined || progress.total <= 0 ? undefined : Math.min(1, progress.done / progress.total);

/** How long the process keeps its lock unless it renews it. */
function Lease({ run: { lease, fence } }: { readonly run: Running }): VNode {
  if (lease === undefined) return <span class="lease" />;
  const left = lease.until - second.value;
  const renewed = Math.max(0, second.value - lease.renewed);
  const title = `Renewed ${durationText(renewed)} ago, fence ${fence}`;
  return (
    <span class="lease" data-late={left < 3_000} title={title}>
      lease {left > 0 ? elapsedText(left) : "over"}
    </span>
  );
}
