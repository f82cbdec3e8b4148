import type { VNode } from "preact";
import { queryOf } from "../../api/call.js";
import type { RunItem, Runs } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { seconds, tookText } from "../../format/duration.js";
import { Holder } from "../../parts/facts.js";
import { Paged } from "../../parts/lists/paged.js";
import { RunLink } from "../../parts/lists/run-link.js";
import { Empty } from "../../parts/pictures.js";
import { RunState } from "../../parts/state.js";
import { Time } from "../../parts/time.js";

interface RunsTableProps {
  readonly query: Readonly<Record<string, string | number | undefined>>;
  readonly names?: readonly string[];
  /** Without the name of the job, which is the heading of the page, and the process. */
  readonly bare?: boolean;
}

/** Runs, the newest first. */
export function RunsTable({ query, names, bare = false }: RunsTableProps): VNode {
  return (
    <Paged<Runs>
      path={(before) => `runs${queryOf({ ...query, before })}`}
      next={({ more, before }) => (more ? before : undefined)}
      isEmpty={({ runs, more }) => runs.length === 0 && !more}
      empty={<None query={query} />}
      {...(names !== undefined && { options: { names } })}
      rows={({ runs }) => (
        <tbody>
          {runs.map((run) => (
            <Row key={run.id} run={run} bare={bare} />
          ))}
        </tbody>
      )}
      around={(pages) => (
        <table class={bare ? "grid cards runs bare" : "grid cards runs"}>
          <thead>
            <tr>
              <th scope="col">{bare ? "Run" : "Job"}</th>
              {!bare && <th scope="col">State</th>}
              <th scope="col">Started</th>
              <th scope="col" class="num">
                Took
              </th>
              <th scope="col">By</th>
              {!bare && <th scope="col">Process</th>}
            </tr>
          </thead>
          {pages}
        </table>
      )}
    />
  );
}

/** What is shown if there is no run. What else happened in a range of time is on the timeline. */
function None({ query: { name, from, to: end } }: Pick<RunsTableProps, "query">): VNode {
  if (from === undefined)
    return (
      <Empty title="No run is kept">No run of the store is of this kind. Old runs are deleted after a while.</Empty>
    );
  return (
    <Empty title="No run began in this time">
      <a class="link" href={to.timeline(queryOf({ q: name, from, to: end }))}>
        See this time on the timeline
      </a>
      , with the ticks that were skipped or missed, and the runs that had begun before.
    </Empty>
  );
}

interface RowProps {
  readonly run: RunItem;
  readonly bare: boolean;
}

function Row({ run, bare }: RowProps): VNode {
  const { id, name, status, startTime, trigger, holder, attempt, error } = run;
  const link = (
    <RunLink run={id} row>
      <RunState status={status} />
    </RunLink>
  );
  const tries = attempt !== undefined && attempt > 1 ? `attempt ${attempt}` : undefined;
  return (
    <tr>
      <th scope="row" class="main-cell">
        {bare ? (
          link
        ) : (
          <a class="name" href={to.job(name)}>
            {name}
          </a>
        )}
        {error !== undefined && (
          <span class="dim under cut" title={error}>
            {error}
          </span>
        )}
      </th>
      {!bare && <td data-label="State">{link}</td>}
      <td data-label="Started">
        <Time at={startTime} job={name} />
      </td>
      <td class="num" data-label="Took">
        <Took run={run} />
      </td>
      <td class="dim" data-label="By">
        {trigger}
        {tries !== undefined && `, ${tries}`}
      </td>
      {!bare && (
        <td class="wide-only">
          <Holder holder={holder} />
        </td>
      )}
    </tr>
  );
}

/** How long it took, or for how long it runs. */
export function Took({ run: { duration: took, status, startTime } }: { readonly run: RunItem }): VNode {
  if (took !== undefined) return <>{tookText(status, took)}</>;
  return status === "running" ? (
    <span class="dim">{seconds(second.value - startTime)}</span>
  ) : (
    <span class="dim">–</span>
  );
}
