import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import "../../css/log.css";
import { ActButtons } from "../../acts/act-menu.js";
import type { Target } from "../../acts/acts.js";
import { allowed, offer, offersAgain, offersOfRun, possible } from "../../acts/offers.js";
import { useResource } from "../../api/resource.js";
import type { RetryView, RunDetail, RunPage, Status, StopRequest } from "../../api/types.js";
import { to } from "../../app/router.js";
import { running } from "../../live/live.js";
import { subject } from "../../palette/commands.js";
import { whoText } from "../../parts/facts.js";
import { Icon } from "../../parts/icon.js";
import { Page, Section } from "../../parts/page.js";
import { Loaded } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { RunState } from "../../parts/state.js";
import { Away, Time } from "../../parts/time.js";
import { usePageJob } from "../jobs/use-job.js";
import { headingOf, Reasons } from "../jobs/why.js";
import { Attempts } from "./attempts.js";
import { Compared } from "./compared.js";
import { plain } from "./log/ansi.js";
import { Log } from "./log/log.js";
import { LogModel } from "./log/log-model.js";
import { RunFacts } from "./run-facts.js";

/** A run: its course, why it ended, and its log. */
export function RunScreen({ id }: { readonly id: string }): VNode {
  const name = id.replace(/@[^@]*$/, "");
  const page = useResource<RunPage>(`runs/${encodeURIComponent(id)}`, { names: [name] });
  // Read in parallel with the run.
  const model = useMemo(() => new LogModel(id), [id]);
  useEffect(() => () => model.close(), [model]);
  usePageJob(name);
  const run = page.data.value?.run;
  const isRunning = run?.status === "running";
  const next = page.data.value?.next;
  const ran = useRef("");
  if (isRunning) ran.current = id;
  // If the run ended while it was shown, the buttons stay. A run that ended before has nothing to cancel.
  const ofRun = ran.current === id ? offersOfRun(isRunning ? undefined : "This run has ended.") : [];
  const ofRetry = isRunning || next === undefined ? [] : allowed([offer("cancel")]);
  const again = page.data.value === undefined ? [] : offersAgain(page.data.value);
  const againTarget = { name, again: { args: run?.args } };
  const target = { name, run: id, where: run && `${run.holder.host}, pid ${run.holder.pid}` };
  useEffect(() => {
    if (run === undefined) return undefined;
    subject.value = {
      acts: possible(isRunning ? ofRun : [...ofRetry, ...again]),
      target: isRunning ? target : { ...againTarget, ...(next && targetOf(next)) },
    };
    return () => {
      subject.value = undefined;
    };
  }, [run?.id, isRunning, next?.attempt, again[0]?.no]);
  return (
    <Page
      title={name}
      before={run && <RunState status={run.status} />}
      said={run && <Away at={run.endTime ?? run.startTime} />}
      end={
        <>
          {next !== undefined && <ActButtons offers={ofRetry} target={targetOf(next)} />}
          <ActButtons offers={ofRun} target={target} />
          <ActButtons offers={again} target={againTarget} />
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

function Body({ page, model }: { readonly page: RunPage; readonly model: LogModel }): VNode {
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
          {(attempts.length > 1 || next !== undefined) && <Attempts attempts={attempts} next={next} current={run.id} />}
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
          ApiRequest to stop <Away at={of.at} />, at <Time at={of.at} />, by {whoText(of)}
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
        <p class="dim">It has a result, which is hidden here. The server shows results with showResults.</p>
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
