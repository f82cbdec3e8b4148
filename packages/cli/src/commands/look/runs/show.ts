import { type JobManager, type JsonValue, type Progress, parseRunId, type RunRecord, type Waiter } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import { operandOf } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { colorOf } from "../../../output/color.js";
import { type Column, printItem } from "../../../output/items.js";
import { sayProgress } from "../../../output/progress.js";
import { type SayTime, sayAttempt, sayDuration, sayTime, sayTook } from "../../../output/times.js";
import { findRun } from "../../../store/find-run.js";
import { withStore } from "../../../store/open.js";
import { sayLimit } from "../../exec/limits.js";
import { type StopRequest, sayProcesses, sayStopRequest, stopRequestField } from "../ps/running.js";
import { type NextAttempt, retriesIn, sayDue } from "../retry-series.js";

/** How much later than its retry policy says an attempt may start, in ms: its process may have died. */
const LATE = 86_400_000;

/** The most runs of a name that are searched for the attempts of a series. */
const RUNS_SEARCHED_LIMIT = 1_000;

/** An attempt of a retry series that was made. */
export interface Made extends Pick<RunRecord, "id" | "status"> {
  readonly attempt: number;
}

/** The retry series of a run. */
export interface ChainOf {
  /** All attempts that were made, in order. */
  readonly attempts: readonly Made[];
  /** The pending one. */
  readonly next?: Pick<NextAttempt, "attempt" | "due" | "orphaned">;
}

/** The retry series of a run; `undefined` if the run is the only one in it. */
export async function chainOf(manager: JobManager, run: RunRecord): Promise<ChainOf | undefined> {
  const { name, id, retry, chain = id, handedOver, startTime, timeout } = run;
  if (retry === undefined && handedOver === undefined) return undefined;
  const from = parseRunId(chain)?.startTime ?? startTime;
  const { attempts: most, maxDelay } = retry ?? { attempts: 1, maxDelay: 0 };
  const to = from + most * (timeout + maxDelay) + LATE;
  const attempts: Made[] = [];
  for await (const one of manager.history({ name, from, to, limit: RUNS_SEARCHED_LIMIT }))
    if ((one.chain ?? one.id) === chain) attempts.push({ attempt: one.attempt ?? 1, id: one.id, status: one.status });
  const next = (await retriesIn(manager, name)).find((coming) => coming.chain === chain);
  if (attempts.length < 2 && next === undefined) return undefined;
  // A run that was handed over is repeated as the same attempt: the earlier of the two comes first.
  attempts.reverse().sort((a, b) => a.attempt - b.attempt);
  if (next === undefined) return { attempts };
  const { attempt, due, orphaned } = next;
  return { attempts, next: { attempt, due, ...(orphaned && { orphaned }) } };
}

/** A run with everything known about it. */
export interface ShownRun extends RunRecord, Partial<ChainOf> {
  readonly progress?: Progress;
  /** The last request to stop it. It had no effect so far, or another reason ended the run. */
  readonly stopRequest?: StopRequest;
  /** The waiters of its lock, in the order in which they will get it. */
  readonly waiters?: readonly Waiter[];
}

/** Shows everything about a run. */
export async function execute(given: Given): Promise<number> {
  const word = operandOf(given, "a run: its id, the beginning of one, or a name for its last run");
  const say = sayTime(given);
  return withStore(given, async (manager) => {
    const run = await findRun(manager, word);
    const progress = await manager.progress(run);
    // A run that an unlock closed, or that completed, may have been asked to stop before.
    const request = run.endedBy?.action === "cancel" ? {} : stopRequestField(await manager.stopRequest(run));
    const waiters = run.status === "running" ? await manager.waiters(run.lock ?? run.name) : [];
    const chain = await chainOf(manager, run);
    printItem(
      given,
      { ...run, ...(progress && { progress }), ...request, ...(waiters.length > 0 && { waiters }), ...chain },
      [
        ...fields(say),
        { title: "attempts", cell: () => chain?.attempts.map(sayMade).join("\n") },
        { title: "next attempt", cell: () => chain?.next && sayNext(chain.next, say) },
        { title: "progress", cell: () => progress && sayProgress(progress) },
        { title: "waiting", cell: () => (waiters.length === 0 ? "" : sayProcesses(waiters.length, waiters)) },
        {
          title: "asked to stop",
          cell: () => request.stopRequest && sayStopRequest(request.stopRequest, say),
          color: () => "yellow",
        },
      ],
    );
  });
}

const sayNext = ({ attempt, due, orphaned }: NonNullable<ChainOf["next"]>, say: SayTime): string =>
  `${attempt}, ${sayDue(say(due), orphaned)}`;

const sayMade = ({ attempt, id, status }: Made): string => `${attempt} ${status} ${visible(id)}`;

function fields(say: SayTime): Column<RunRecord>[] {
  return [
    { title: "run", cut: "name", cell: ({ id }) => id },
    { title: "status", cell: ({ status }) => status, color: ({ status }) => colorOf(status) },
    {
      title: "trigger",
      cell: ({ trigger, schedule }) => (schedule === undefined ? trigger : `${trigger}, of ${schedule}`),
    },
    { title: "tick", cell: ({ tick }) => say(tick) },
    { title: "delay", cell: ({ delay }) => sayDuration(delay) },
    { title: "started", cell: ({ startTime }) => say(startTime) },
    { title: "ended", cell: ({ endTime, status }) => say(endTime) + (status === "lost" ? " at the latest" : "") },
    { title: "took", cell: sayTook },
    { title: "timeout", cell: sayLimit },
    { title: "attempt", cell: sayAttempt },
    { title: "chain", cut: "name", cell: ({ chain }) => chain },
    { title: "where", cell: ({ holder: { host, pid } }) => `${host}, pid ${pid}` },
    { title: "lock", cut: "name", cell: ({ lock }) => lock },
    { title: "permits", cell: ({ permits }) => permits && Object.keys(permits).join(", ") },
    { title: "rate", cell: ({ rate }) => rate?.name },
    { title: "fence", cell: ({ fence }) => fence },
    { title: "versions", cell: ({ versions }) => versions && `ojm ${versions.ojm}, Node ${versions.node}` },
    { title: "args", cell: ({ args }) => json(args) },
    { title: "meta", cell: ({ meta }) => json(meta) },
    { title: "result", cell: ({ result }) => json(result) },
    { title: "exit", cell: ({ exit }) => exit?.signal ?? exit?.code?.toString() },
    { title: "error", cell: ({ error }) => error },
    { title: "handed over", cell: ({ handedOver }) => handedOver && "to another run, which makes the same attempt" },
    {
      title: "ended by",
      cell: ({ endedBy: end }) =>
        end && `${end.author ?? `${end.by.host}, pid ${end.by.pid}`} (${end.action}): ${end.reason}`,
    },
    // The stack of a failed command is only its error.
    { title: "stack", cell: ({ stack, error }) => (stack?.endsWith(error ?? "\n") ? "" : stack) },
  ];
}

function json(value: JsonValue | undefined): string {
  return value === undefined ? "" : JSON.stringify(value);
}
