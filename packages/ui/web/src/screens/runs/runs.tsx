import type { VNode } from "preact";
import { ACTS, ask } from "../../acts/acts.js";
import { Choose, type ManyAct, ManyActs, readAll, selection } from "../../acts/many.js";
import { queryOf, read } from "../../api/call.js";
import type { RunItem, Runs, Status } from "../../api/types.js";
import { may } from "../../app/me.js";
import { place, to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count, elapsedText, tookText } from "../../format/duration.js";
import { ALL_STATUSES, stateOf } from "../../format/states.js";
import { inZone } from "../../format/times.js";
import { zoneFor } from "../../format/zone.js";
import { Holder, JobLink, RunLink } from "../../parts/facts.js";
import { StatesFilter } from "../../parts/lists/filters.js";
import { FindField } from "../../parts/lists/find.js";
import { Paged } from "../../parts/lists/paged.js";
import { RangeField, rangeOf } from "../../parts/lists/range-field.js";
import { numeric, Page } from "../../parts/page.js";
import { DidYouMean, Empty } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { RunState } from "../../parts/state.js";
import { Time } from "../../parts/time.js";

const LIMIT = 50;

/** The most runs of a list that one action takes on. */
const MOST = 1_000;

/** The runs that the user has chosen. */
const chosen = selection<RunItem>();

/** The actions on several runs. */
const MANY: readonly ManyAct<RunItem>[] = [
  {
    label: "Cancel running ones",
    icon: ACTS.cancel.icon,
    take: (runs) => {
      const ids = runs.filter(({ status }) => status === "running").map(({ id }) => id);
      if (ids.length === 0) return "none of these runs is in progress: there is nothing to cancel";
      ask("cancel", { name: count(ids.length, "run"), names: ids, runs: true });
      return undefined;
    },
  },
  {
    label: "Run failed ones again",
    icon: ACTS["run-now"].icon,
    take: (runs) => {
      const failed = runs.filter(({ status }) => FAILED.includes(status));
      // The newest of each job: its runs would wait for each other.
      const newest = failed.toSorted((a, b) => a.startTime - b.startTime).map(({ name, id }) => [name, id] as const);
      const ids = [...new Map(newest).values()];
      if (ids.length === 0) return "none of these runs failed: there is nothing to run again";
      ask("run-now", { name: count(ids.length, "job"), names: ids, runs: true });
      return undefined;
    },
  },
];

const FAILED: readonly Status[] = ["failed", "timeout", "lost", "cancelled"];

/** The runs of all jobs, the newest first. */
export function RunsScreen(): VNode {
  const { query: asked } = place.value;
  const [status, name] = [asked.get("status") ?? undefined, asked.get("name") ?? undefined];
  const [q, host] = [asked.get("q") ?? undefined, asked.get("host") ?? undefined];
  const range = rangeOf(place.value);
  const filter = { name, q, status, host, ...range };
  const all = (): Promise<RunItem[]> =>
    readAll(async (before) => {
      const page = await read<Runs>(`runs${queryOf({ ...filter, limit: 200, before })}`);
      return { items: page.runs, next: page.more ? page.before : undefined };
    }, MOST);
  return (
    <Page title="Runs" end={<FindField label="Find a job" />}>
      <fieldset class="chips filters" aria-label="Only runs that are">
        <StatesFilter param="status" states={ALL_STATUSES.map((each) => [each, stateOf(each)])} />
        <FindField label="Host" param="host" />
      </fieldset>
      <RangeField clears />
      <ManyActs of={chosen} acts={may("cancel") ? MANY : []} filter={queryOf(filter)} all={all} idOf={({ id }) => id}>
        <CompareLink />
      </ManyActs>
      <RunsTable query={{ limit: LIMIT, ...filter }} {...(name !== undefined && { names: [name] })} />
    </Page>
  );
}

/** Compares two chosen runs, the earlier one first. */
function CompareLink(): VNode | null {
  const [a, b, ...more] = [...chosen.value.values()].toSorted((one, other) => one.startTime - other.startTime);
  if (a === undefined || b === undefined || more.length > 0) return null;
  return (
    <a class="button" href={to.compare(a.id, b.id)}>
      Compare
    </a>
  );
}

interface RunsTableProps {
  readonly query: Readonly<Record<string, string | number | undefined>>;
  readonly names?: readonly string[];
  /** Without the name of the job, which is the heading of the page, and without the process. */
  readonly bare?: boolean;
}

const TOOK = numeric("Took");
const FULL = { class: "grid cards runs", heads: ["Job", "State", "Started", TOOK, "By", "Process"] };
const BARE = { class: "grid cards runs bare", heads: ["Run", "Started", TOOK, "By"] };

/** Runs, the newest first. */
export function RunsTable({ query, names, bare = false }: RunsTableProps): VNode {
  return (
    <Paged<Runs, ShownRun>
      path={(before) => `runs${queryOf({ ...query, before })}`}
      next={({ more, before }) => (more ? before : undefined)}
      items={({ runs }) => runs}
      row={(run) => <Row key={run.id} run={run} bare={bare} />}
      table={bare ? BARE : FULL}
      empty={({ meant }) => <None query={query} meant={meant} bare={bare} />}
      hold={hold}
      {...(names !== undefined && { options: { names } })}
    />
  );
}

/** The shown runs in their current state. Runs that started since wait for a click. */
function hold(shown: Runs, latest: Runs): { readonly answer: Runs; readonly news: string | undefined } {
  const now = new Map(latest.runs.map((run) => [run.id, run]));
  const known = new Set(shown.runs.map(({ id }) => id));
  const at = latest.runs.findIndex(({ id }) => known.has(id));
  const fresh = at === -1 ? latest.runs.length : at;
  return {
    // A missing run stays too. If the list continues, it may only have moved to the next page.
    answer: {
      ...shown,
      runs: shown.runs.map((run) => now.get(run.id) ?? (latest.more ? run : { ...run, gone: true })),
    },
    news: fresh === 0 ? undefined : count(fresh, "new run"),
  };
}

interface NoneProps extends Pick<RunsTableProps, "query" | "bare"> {
  readonly meant: string | undefined;
}

/** Shown if there are no runs. The timeline has the other events in a range of time. */
function None({ query: { name, q = name, status, host, from, to: end }, meant, bare }: NoneProps): VNode {
  if (from === undefined || meant !== undefined) {
    const called = bare || q === undefined ? "" : ` of a job called “${q}”`;
    const words = String(status ?? "")
      .split(",")
      .map((one) => `“${stateOf(one as Status).word}”`);
    const state = status === undefined ? "" : ` with the state ${words.join(" or ")}`;
    const there = host === undefined ? "" : ` on a host “${host}”`;
    return (
      <Empty title={called + state + there === "" ? "No run is stored" : `No run${called}${state}${there}`}>
        {meant === undefined ? (
          "Old runs are deleted after their retention time."
        ) : (
          <DidYouMean name={meant} href={to.runs(queryOf({ name: meant, status, host, from, to: end }))} />
        )}
      </Empty>
    );
  }
  return (
    <Empty title="No run started in this time">
      <a class="link" href={to.timeline(queryOf({ q, from, to: end }))}>
        Show this time on the timeline
      </a>
      , with skipped and missed ticks, and the runs that started earlier.
    </Empty>
  );
}

type ShownRun = RunItem & { readonly gone?: boolean };

function Row({ run, bare }: { readonly run: ShownRun; readonly bare: boolean }): VNode {
  const { id, name, status, startTime, trigger, holder, attempt, error, gone } = run;
  const link = (
    <RunLink run={id} row>
      <RunState status={status} />
    </RunLink>
  );
  const by = attempt !== undefined && attempt > 1 ? `${trigger}, attempt ${attempt}` : trigger;
  return (
    <tr data-gone={gone}>
      <th scope="row" class="main-cell">
        {!bare && (
          <Choose of={chosen} id={id} item={run} label={`the run of ${name} at ${new Date(startTime).toISOString()}`} />
        )}
        {bare ? link : <JobLink name={name} row={false} />}
        {error !== undefined && (
          <span class="dim under cut" title={inZone(error, second.value, zoneFor(name))}>
            <Prose text={error} job={name} />
          </span>
        )}
      </th>
      {!bare && <td data-label="State">{link}</td>}
      <td data-label="Started">
        <Time at={startTime} job={name} listed />
      </td>
      <td class="num" data-label="Took">
        <Took run={run} />
      </td>
      <td class="dim by" data-label="By" title={by}>
        {by}
      </td>
      {!bare && (
        <td class="wide-only">
          <Holder holder={holder} />
        </td>
      )}
    </tr>
  );
}

/** How long it took, or has been running. */
export function Took({ run: { duration: took, status, startTime } }: { readonly run: RunItem }): VNode {
  if (took !== undefined) return <>{tookText(status, took)}</>;
  return status === "running" ? (
    <span class="dim">{elapsedText(second.value - startTime)}</span>
  ) : (
    <span class="dim">–</span>
  );
}
