import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import "../../css/log.css";
import { ActButtons } from "../../acts/act-menu.js";
import { allowed, offer, offersAgain, offersOfRun, possible, type Target } from "../../acts/acts.js";
import { useResource } from "../../api/resource.js";
import type { ProgressView, RetryView, RunDetail, RunItem, RunPage, Status, StopRequest } from "../../api/types.js";
import { to } from "../../app/router.js";
import { durationText, percent, progressText, shareOf, tookText } from "../../format/duration.js";
import { problemOf, reasonState, stateOf } from "../../format/states.js";
import { running } from "../../live/live.js";
import { useSubject } from "../../palette/palette.js";
import { Fact, Facts, Holder, jobOfRun, Meter, processText, whoText } from "../../parts/facts.js";
import { Icon } from "../../parts/icon.js";
import { Page, Section } from "../../parts/page.js";
import { Loaded } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { RunState, StateMark } from "../../parts/state.js";
import { Away, Due, Elapsed, Time } from "../../parts/time.js";
import { headingOf, Reasons, usePageJob } from "../jobs/why.js";
import { CopyForChat } from "./chat.js";
import { ComparedTable, pairsOf } from "./compared.js";
import { plain } from "./log/ansi.js";
import { Log } from "./log/log.js";
import { LogModel } from "./log/log-model.js";
import { Took } from "./runs.js";

/** A run: its course, why it ended, and its log. */
export function RunScreen({ id }: { readonly id: string }): VNode {
  const name = jobOfRun(id);
  const page = useResource<RunPage>(`runs/${encodeURIComponent(id)}`, { names: [name] });
  // Read in parallel with the run.
  const model = useMemo(() => new LogModel(id), [id]);
  useEffect(() => () => model.close(), [model]);
  usePageJob(name);
  const run = page.data.value?.run;
  const isRunning = run?.status === "running";
  const { next, lastWell, newest } = page.data.value ?? {};
  const ran = useRef("");
  if (isRunning) ran.current = id;
  // If the run ended while it was shown, the buttons stay. A run that ended before has nothing to cancel.
  const ofRun = ran.current === id ? offersOfRun(isRunning ? undefined : "This run has ended.") : [];
  const ofRetry = isRunning || next === undefined ? [] : allowed([offer("cancel")]);
  const again = page.data.value === undefined ? [] : offersAgain(page.data.value);
  const againTarget = { name, again: { args: run?.args } };
  const target = { name, run: id, where: run && processText(run.holder) };
  const subject = {
    acts: possible(isRunning ? ofRun : [...ofRetry, ...again]),
    target: isRunning ? target : { ...againTarget, ...(next && targetOf(next)) },
  };
  useSubject(run && subject, [run?.id, isRunning, next?.attempt, again[0]?.no]);
  return (
    <Page
      title={name}
      before={run && <RunState status={run.status} />}
      said={
        run && (
          <>
            <Away at={run.endTime ?? run.startTime} />
            {newest !== undefined && (
              <>
                {" · "}
                <a class="link" href={to.run(newest.id)}>
                  A newer run: <Time at={newest.startTime} /> {stateOf(newest.status).word.toLowerCase()} ›
                </a>
              </>
            )}
          </>
        )
      }
      end={
        <>
          {next !== undefined && <ActButtons offers={ofRetry} target={targetOf(next)} />}
          <ActButtons offers={ofRun} target={target} />
          <ActButtons offers={again} target={againTarget} />
          {run && <CopyForChat run={run} rows={() => model.rows} />}
          {lastWell !== undefined && (
            <a class="button" href={to.compare(lastWell.id, id)}>
              Compare with the last success
            </a>
          )}
          <a class="button" href={to.whyRun(id)}>
            Why?
          </a>
          <a class="button" href={to.job(name)}>
            The job
          </a>
        </>
      }
    >
      <Loaded of={page} rows={12}>
        {(loaded) => <Body page={loaded} model={model} />}
      </Loaded>
    </Page>
  );
}

/** The next attempt is cancelled by the first run of its retry series. */
const targetOf = ({ name, chain, attempt }: RetryView): Target => ({ name, run: chain, attempt });

/** The statuses of a run whose log does not open at its first error. */
const WELL: readonly Status[] = ["running", "completed", "skipped"];

interface BodyProps {
  readonly page: RunPage;
}

function Body({ page, model }: BodyProps & { readonly model: LogModel }): VNode {
  const { run, attempts, next, lastWell, why, log, progress, stopRequest: asked } = page;
  const live = running.value?.get(run.id);
  const latest = live?.progress ?? progress;
  return (
    <>
      <RunFacts run={run} progress={latest} />
      <div class="split">
        <div>
          <Stop of={live?.stopRequest ?? asked} isRunning={run.status === "running"} />
          <Failed run={run} />
          <Result run={run} />
          <Log id={run.id} model={model} live={!log.ended} failed={!WELL.includes(run.status)} />
        </div>
        <div>
          {(attempts.length > 1 || next !== undefined) && <Attempts page={page} />}
          {lastWell !== undefined && run.status !== "completed" && <Compared run={run} well={lastWell} />}
          {why.length > 0 && run.status !== "running" && (
            <Section title={headingOf(why)}>
              <Reasons name={run.name} reasons={why} />
            </Section>
          )}
        </div>
      </div>
    </>
  );
}

/** The request to stop that its job function has not obeyed so far, or never obeyed. */
function Stop({ of, isRunning }: { readonly of: StopRequest | undefined; readonly isRunning: boolean }): VNode | null {
  if (of === undefined) return null;
  return (
    <div class="failed">
      <div class="note" data-tone="warn">
        <Icon name="warn" />
        <div>
          Stop requested <Away at={of.at} />, at <Time at={of.at} />, by {whoText(of)}
          {isRunning && ", still running"}: {of.reason}
        </div>
      </div>
    </div>
  );
}

function Failed({ run: { error, stack, endedBy } }: { readonly run: RunDetail }): VNode | null {
  if (error === undefined && endedBy === undefined) return null;
  return (
    <div class="failed">
      {error !== undefined && (
        <div class="note" data-tone="failed">
          <Icon name="warn" />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus. */}
          <div tabIndex={0}>
            <Prose text={plain(error)} />
          </div>
        </div>
      )}
      {endedBy !== undefined && (
        <p class="dim">
          Ended by {endedBy.action}, {endedBy.author === undefined ? "" : `by ${endedBy.author}, `}from{" "}
          {endedBy.by.host}, pid {endedBy.by.pid}: <Prose text={endedBy.reason} />
        </p>
      )}
      {stack !== undefined && (
        <details>
          <summary>Stack</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus. */}
          <pre tabIndex={0}>{stack}</pre>
        </details>
      )}
    </div>
  );
}

function Result({ run: { result, resultHidden } }: { readonly run: RunDetail }): VNode | null {
  if (result === undefined && resultHidden !== true) return null;
  return (
    <div class="failed">
      {result === undefined ? (
        <p class="dim">The result is hidden. The server shows results with the option showResults.</p>
      ) : (
        <details open>
          <summary>Result</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus. */}
          <pre class="result" tabIndex={0}>
            {JSON.stringify(result, null, 2)}
          </pre>
        </details>
      )}
    </div>
  );
}

function RunFacts({ run, progress }: { readonly run: RunDetail; readonly progress: ProgressView | undefined }): VNode {
  const { startTime, endTime, duration, status, tick, delay, attempt, retry, fence, versions, args, meta, exit } = run;
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
        <Fact name={status === "running" ? "Running for" : "Took"}>
          {duration !== undefined ? tookText(status, duration) : status === "running" && <Elapsed since={startTime} />}
        </Fact>
        <Fact name="Timeout">{durationText(run.timeout)}</Fact>
        <Fact name="Lock">{run.lock}</Fact>
        <Fact name="Permits">{run.permits && Object.keys(run.permits).join(", ")}</Fact>
        <Fact name="Rate">{run.rate?.name}</Fact>
        <Fact name="Exit">{exit?.signal ?? exit?.code}</Fact>
        <Fact name="Started by">{run.trigger}</Fact>
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
          <Holder holder={run.holder} />
        </Fact>
        <Fact name="Fence">{fence !== undefined && <span class="mono">{fence}</span>}</Fact>
        <Fact name="Versions">{versions !== undefined && `ojm ${versions.ojm}, Node ${versions.node}`}</Fact>
        <Fact name="Parameters">{args !== undefined && <span class="mono">{JSON.stringify(args)}</span>}</Fact>
        {Object.entries(meta ?? {}).map(([name, value]) => (
          <Fact key={name} name={name}>
            {typeof value === "string" ? value : JSON.stringify(value)}
          </Fact>
        ))}
      </Facts>
      {progress !== undefined && <Progress progress={progress} isOver={status !== "running"} />}
      <p class="run-id dim mono">
        <a href={to.run(run.id)}>{run.id}</a>
      </p>
    </>
  );
}

function Progress({ progress, isOver }: { readonly progress: ProgressView; readonly isOver: boolean }): VNode {
  const share = shareOf(progress);
  return (
    <div class="progress row" data-over={isOver}>
      {share !== undefined && <Meter share={share} />}
      <span>
        {isOver && <span class="dim">Last progress: </span>}
        {share !== undefined && <b>{percent(Math.round(share * 1_000) / 1_000)} </b>}
        <span class="dim">{progressText(progress)}</span>
      </span>
    </div>
  );
}

const Attempts = ({ page: { run, attempts, next } }: BodyProps): VNode => (
  <Section title="Attempts" count={attempts.length}>
    <ol class="rows plain">
      {attempts.map((each) => (
        <li key={each.id}>
          <a href={to.run(each.id)} aria-current={each.id === run.id ? "page" : undefined} class="name" data-row>
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

const Compared = ({ run, well }: { readonly run: RunDetail; readonly well: RunItem }): VNode => (
  <Section
    title="Compared with the last success"
    end={
      <a class="link" href={to.run(well.id)}>
        <Time at={well.startTime} />
      </a>
    }
  >
    <ComparedTable heads={["This run", "Last success"]} pairs={pairsOf(run, well).filter(([, a, b]) => a !== b)} />
  </Section>
);
