import type { VNode } from "preact";
import type { ProgressView, RunDetail } from "../../api/types.js";
import { to } from "../../app/router.js";
import { durationText, percent, progressText, tookText } from "../../format/duration.js";
import { Fact, Facts, Holder } from "../../parts/facts.js";
import { Elapsed, Time } from "../../parts/time.js";

interface RunFactsProps {
  readonly run: RunDetail;
  readonly progress: ProgressView | undefined;
}

/** When, how long, where and by what it ran. */
export function RunFacts({ run, progress }: RunFactsProps): VNode {
  const {
    startTime,
    endTime,
    status,
    trigger,
    tick,
    delay,
    attempt,
    retry,
    holder,
    fence,
    timeout,
    versions,
    args,
    meta,
  } = run;
  return (
    <>
      <Facts>
        <Fact name="Started">
          <Time at={startTime} />
        </Fact>
        <Fact name={status === "lost" ? "Ended by" : "Ended"}>
          {/* Always shown: otherwise everything below could move when the run ends. */}
          {endTime === undefined ? <span class="dim">not yet</span> : <Time at={endTime} />}
        </Fact>
        <Fact name={status === "running" ? "Runs for" : "Took"}>
          {run.duration !== undefined
            ? tookText(status, run.duration)
            : status === "running" && <Elapsed since={startTime} />}
        </Fact>
        <Fact name="At most">{durationText(timeout)}</Fact>
        <Fact name="Started by">{trigger}</Fact>
        <Fact name="Tick">
          {tick !== undefined && (
            <>
              <Time at={tick} />
              {delay !== undefined && <span class="dim"> {durationText(delay)} late</span>}
            </>
          )}
        </Fact>
        <Fact name="Attempt">
          {attempt !== undefined && `${attempt}${retry === undefined ? "" : ` of ${retry.attempts}`}`}
        </Fact>
        <Fact name="Process">
          <Holder holder={holder} />
        </Fact>
        <Fact name="Fence">{fence !== undefined && <span class="mono">{fence}</span>}</Fact>
        <Fact name="Versions">{versions !== undefined && `ojm ${versions.ojm}, Node ${versions.node}`}</Fact>
        <Fact name="Args">{args !== undefined && <span class="mono">{JSON.stringify(args)}</span>}</Fact>
        {Object.entries(meta ?? {}).map(([name, value]) => (
          <Fact key={name} name={name}>
            {typeof value === "string" ? value : JSON.stringify(value)}
          </Fact>
        ))}
      </Facts>
      {progress !== undefined && <Progress progress={progress} />}
      <p class="run-id dim mono">
        <a href={to.run(run.id)}>{run.id}</a>
      </p>
    </>
  );
}

function Progress({ progress }: { readonly progress: ProgressView }): VNode {
  const { done, total } = progress;
  const share = total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
  return (
    <div class="progress">
      {share !== undefined && (
        <span
          class="meter"
          role="progressbar"
          aria-label="Progress"
          aria-valuenow={Math.round(share * 100)}
          aria-valuemin={0}
          aria-valuemax={100}
        >
          <i style={{ width: `${share * 100}%` }} />
        </span>
      )}
      <span>
        {share !== undefined && <b>{percent(Math.round(share * 1_000) / 1_000)} </b>}
        <span class="dim">{progressText(progress)}</span>
      </span>
    </div>
  );
}
